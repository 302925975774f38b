"""The copy head end to end, one command: views, training, checksums, figures.

    python scripts/training/copies/run.py --data DATA --models MODELS --others PICTURES [PICTURES ...] --work WORK

PICTURES are folders of pictures without documents, as for the document head: what cards lie on.
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
    arguments = parser.parse_args()
    views = arguments.work / "views"
    if not (views / "copies.npy").exists():
        step(
            HERE / "copy_samples.py", "--data", arguments.data, "--teachers", arguments.models / "teachers",
            "--faces", arguments.work / "faces.json", "--others", *arguments.others, "--out", views,
        )  # fmt: skip
    step(HERE / "train_head.py", "--views", views, "--work", arguments.work)
    step(HERE.parent / "seal_pack.py", ROOT / "models" / "compact")
    step(HERE / "measure.py", "--data", arguments.data)


if __name__ == "__main__":
    main()
