"""The face filter end to end, one command: documents without a face, candidates of the detector, training, checksums,
figures.

    python -m scripts.training.face_filter.run --data DATA --models MODELS --labels LABELS.json --blanks BLANKS \
        --others PICTURES [PICTURES ...] --work WORK

DATA is laid out as `common/photos.py` reads it; LABELS is what `common/labels.py` wrote; BLANKS are the pictures of
`detector/blanks.py`, PICTURES those of `common/pictures.py` and photos as in `document/photos.csv`; MODELS holds
`teachers/` and, for the figures only, `reference/`. The filter belongs to the detector: train it anew, in another WORK,
when `det.onnx` changes.
"""

from __future__ import annotations

from pathlib import Path

from scripts.training.common.arguments import add_others, parser_of
from scripts.training.common.repository import COMPACT
from scripts.training.common.steps import reference_of, seal, step


def main() -> None:
    parser = parser_of(__doc__, "data", "models", "labels", "blanks", "work")
    add_others(parser, "folders of pictures of other things")
    parser.add_argument("--steps", type=int, default=9500)
    parser.add_argument("--pack", type=Path, default=COMPACT, help="whose detector and face filter")
    parser.add_argument("--detector", type=Path, help="its detector's file; default det.onnx in the pack")
    parser.add_argument("--unsure", type=float, default=0.7, help="`confirm_below` of the pack")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    pack = arguments.pack
    candidates, faceless = arguments.work / "candidates.npz", arguments.work / "faceless"
    if not candidates.exists():
        step("face_filter.faceless", "--grounds", *arguments.others, "--out", faceless)
        step(
            "face_filter.data", "--data", arguments.data, "--labels", arguments.labels,
            "--blanks", arguments.blanks, "--others", *arguments.others, faceless,
            "--teachers", arguments.models / "teachers", "--detector", arguments.detector or pack / "det.onnx",
            "--out", candidates,
        )  # fmt: skip
    step(
        "face_filter.train", "--candidates", candidates, "--work", arguments.work, "--steps", arguments.steps,
        "--unsure", arguments.unsure, "--out", pack,
    )  # fmt: skip
    seal(pack)
    reference = reference_of(arguments.models)
    step("face_filter.evaluate", "--data", arguments.data, "--reference", reference, "--pack", pack)


if __name__ == "__main__":
    main()
