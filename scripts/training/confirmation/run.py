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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "models", "labels", "blanks", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--others", type=Path, nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=9500)
    parser.add_argument("--pack", type=Path, default=ROOT / "models" / "compact", help="whose detector and head")
    parser.add_argument("--detector", type=Path, help="its detector's file; default det.onnx in the pack")
    parser.add_argument("--unsure", type=float, default=0.7, help="`confirm_below` of the pack")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    pack = arguments.pack
    candidates, faceless = arguments.work / "candidates.npz", arguments.work / "faceless"
    if not candidates.exists():
        step(HERE / "faceless.py", "--grounds", *arguments.others, "--out", faceless)
        step(
            HERE / "candidates.py", "--data", arguments.data, "--labels", arguments.labels,
            "--blanks", arguments.blanks, "--others", *arguments.others, faceless,
            "--teachers", arguments.models / "teachers", "--detector", arguments.detector or pack / "det.onnx",
            "--out", candidates,
        )  # fmt: skip
    step(
        HERE / "train_head.py", "--candidates", candidates, "--work", arguments.work, "--steps", arguments.steps,
        "--unsure", arguments.unsure, "--out", pack,
    )  # fmt: skip
    step(HERE.parent / "seal_pack.py", pack)
    reference = next((arguments.models / "reference" / "det_scrfd").glob("*.onnx"))
    step(HERE / "measure.py", "--data", arguments.data, "--reference", reference, "--pack", pack)


if __name__ == "__main__":
    main()
