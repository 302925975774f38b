"""The detector end to end, one command: labels, training, export, checksums, figures.

    python -m scripts.training.detector.run --data DATA --models MODELS --work WORK

DATA is laid out as `common/photos.py` reads it; MODELS holds `teachers/` (`det_yunet`, `mesh_mediapipe` and
`lm5_openvino0009`) and, for the figures only, `reference/` and `buffalo_sc/`. Every step leaves its result in WORK and
goes on from there when started again.
"""

from __future__ import annotations

from pathlib import Path

from scripts.training.common.arguments import parser_of
from scripts.training.common.repository import COMPACT
from scripts.training.common.steps import option, reference_of, seal, step


def main() -> None:
    parser = parser_of(__doc__, "data", "models", "work")
    parser.add_argument("--stamps", type=Path, help="transparent PNG files for blanks.py, e.g. Tux Paint's stamps")
    parser.add_argument("--landscapes", type=Path, help="photos for blanks.py, e.g. those of mate-backgrounds")
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--start", type=Path, help="det.onnx to go on from")
    arguments = parser.parse_args()
    work, models = arguments.work, arguments.models
    work.mkdir(parents=True, exist_ok=True)
    labels, checkpoint, blanks = work / "labels.json", work / "det.pt", work / "blanks"
    step("common.labels", "--data", arguments.data, "--teachers", models / "teachers", "--out", labels)
    if arguments.stamps and arguments.landscapes and not blanks.is_dir():
        step(
            "detector.blanks", "--objects", arguments.stamps, "--landscapes", arguments.landscapes,
            "--teachers", models / "teachers", "--out", blanks,
        )  # fmt: skip
    step(
        "detector.train", "--data", arguments.data, "--labels", labels, "--checkpoint", checkpoint,
        "--steps", arguments.steps, *option("blanks", blanks if blanks.is_dir() else None),
        *option("start", arguments.start),
    )  # fmt: skip
    step("detector.export", "--checkpoint", checkpoint, "--out", COMPACT / "det.onnx")
    seal(COMPACT)
    step(
        "detector.evaluate", "--data", arguments.data, "--truth", work / "truth.json",
        "--out", COMPACT / "figures" / "detector.json", "--reference", reference_of(models),
        "--model", f"compact={COMPACT / 'det.onnx'}",
        "--model", f"buffalo_sc={models / 'buffalo_sc' / 'det_500m.onnx'}",
        "--yunet", models / "teachers" / "det_yunet" / "yunet_n_dynamic.onnx",
    )  # fmt: skip


if __name__ == "__main__":
    main()
