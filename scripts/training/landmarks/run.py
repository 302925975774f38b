"""The landmark network end to end, one command: labels, training, checksums, figures.

    python -m scripts.training.landmarks.run --data DATA --models MODELS --work WORK

DATA is laid out as `common/photos.py` reads it; MODELS holds `teachers/` and, for the figures only, `reference/`. The
pack must have a detector. Every step leaves its result in WORK and goes on from there when started again; labels in it
must be of all three teachers (`det_yunet`, `mesh_mediapipe`, `lm5_openvino0009`). The curve belongs to the network: run
`scripts/calibrate_builtin.py` afterwards, or the pack falls back to the strictest curve.
"""

from __future__ import annotations

from scripts.training.common.arguments import parser_of
from scripts.training.common.repository import COMPACT
from scripts.training.common.steps import reference_of, seal, step


def main() -> None:
    parser = parser_of(__doc__, "data", "models", "work")
    parser.add_argument("--steps", type=int, default=4000)
    arguments = parser.parse_args()
    data, models, labels = arguments.data, arguments.models, arguments.work / "labels.json"
    arguments.work.mkdir(parents=True, exist_ok=True)
    step("common.labels", "--data", data, "--teachers", models / "teachers", "--out", labels)
    step(
        "landmarks.train", "--data", data, "--labels", labels, "--work", arguments.work, "--steps", arguments.steps
    )  # fmt: skip
    seal(COMPACT)
    step("landmarks.evaluate", "--data", data, "--reference", reference_of(models), "--labels", labels)


if __name__ == "__main__":
    main()
