"""The landmark head end to end, one command: labels, training, checksums, figures.

    python scripts/training/landmarks/run.py --data DATA --models MODELS --work WORK

DATA is laid out as `detector/split.py` reads it; MODELS holds `teachers/` and, for the figures only, `reference/`. The
pack must have a detector. Every step leaves its result in WORK and goes on from there when started again; labels in it
must be of all three teachers (`det_yunet`, `mesh_mediapipe`, `lm5_openvino0009`). The curve belongs to the head: run
`scripts/calibrate_builtin.py` afterwards, or the pack falls back to the strictest curve.
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
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4000)
    arguments = parser.parse_args()
    data, models, labels = arguments.data, arguments.models, arguments.work / "labels.json"
    arguments.work.mkdir(parents=True, exist_ok=True)
    training = HERE.parent
    step(training / "detector" / "labels.py", "--data", data, "--teachers", models / "teachers", "--out", labels)
    step(
        HERE / "train_head.py", "--data", data, "--labels", labels, "--work", arguments.work,
        "--steps", arguments.steps,
    )  # fmt: skip
    step(training / "seal_pack.py", PACK)
    reference = next((models / "reference" / "det_scrfd").glob("*.onnx"))
    step(HERE / "measure.py", "--data", data, "--reference", reference, "--labels", labels)


if __name__ == "__main__":
    main()
