"""The document head end to end, one command: views, training, checksums, figures.

    python scripts/training/document/run.py --data DATA --models MODELS --others PICTURES [PICTURES ...] --work WORK

PICTURES are folders of pictures without documents: those of `confirmation/pictures.py`, and photos out of the packages
in `photos.csv`, chosen by eye. What the pack's present head mistakes for documents among them counts for more.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import paths  # noqa: F401
from steps import ROOT, step

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "models", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--others", type=Path, nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=14000)
    arguments = parser.parse_args()
    views, head = arguments.work / "views", ROOT / "models" / "compact" / "heads" / "document.onnx"
    earlier = ("--head", head) if head.exists() else ()
    if not (views / "views.npy").exists():
        step(
            HERE / "samples.py", "--data", arguments.data, "--teachers", arguments.models / "teachers",
            "--faces", arguments.work / "faces.json", "--others", *arguments.others, "--out", views, *earlier,
        )  # fmt: skip
    step(HERE / "train_head.py", "--views", views, "--work", arguments.work, "--steps", arguments.steps)
    step(HERE.parent / "seal_pack.py", ROOT / "models" / "compact")
    step(HERE / "measure.py", "--data", arguments.data)


if __name__ == "__main__":
    main()
