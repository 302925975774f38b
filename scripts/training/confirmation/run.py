"""The confirmation head end to end, one command: documents without a face, candidates of the detector, training,
checksums, figures.

    python scripts/training/confirmation/run.py --data DATA --models MODELS --labels LABELS.json --blanks BLANKS \
        --others PICTURES [PICTURES ...] --work WORK

DATA is laid out as `detector/split.py` reads it; LABELS is what `detector/labels.py` wrote; BLANKS are the pictures of
`detector/blanks.py`, PICTURES those of `pictures.py` and photos as in `document/photos.csv`; MODELS holds `teachers/`
and, for the figures only, `reference/`. The head belongs to the detector: make it anew, in another WORK, when
`det.onnx` changes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import paths  # noqa: F401
from steps import ROOT, step

HERE = Path(__file__).resolve().parent
PACK = ROOT / "models" / "compact"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "models", "labels", "blanks", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--others", type=Path, nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=9500)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    candidates, faceless = arguments.work / "candidates.npz", arguments.work / "faceless"
    if not candidates.exists():
        step(HERE / "faceless.py", "--grounds", *arguments.others, "--out", faceless)
        step(
            HERE / "candidates.py", "--data", arguments.data, "--labels", arguments.labels,
            "--blanks", arguments.blanks, "--others", *arguments.others, faceless,
            "--teachers", arguments.models / "teachers", "--detector", PACK / "det.onnx", "--out", candidates,
        )  # fmt: skip
    step(
        HERE / "train_head.py", "--candidates", candidates, "--work", arguments.work, "--steps", arguments.steps,
    )  # fmt: skip
    step(HERE.parent / "seal_pack.py", PACK)
    reference = next((arguments.models / "reference" / "det_scrfd").glob("*.onnx"))
    step(HERE / "measure.py", "--data", arguments.data, "--reference", reference)


if __name__ == "__main__":
    main()
