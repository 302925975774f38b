"""The detector end to end, one command: labels, training, export, checksums, figures.

    python scripts/training/detector/run.py --data DATA --models MODELS --work WORK

DATA is laid out as `split.py` reads it; MODELS holds `teachers/` (`det_yunet`, `mesh_mediapipe` and `lm5_openvino0009`)
and, for the figures only, `reference/` and `buffalo_sc/`. Every step leaves its result in WORK and goes on from there
when started again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACK = HERE.parents[2] / "models" / "compact"


def step(script: str, *arguments: object) -> None:
    """Run one script of this folder, or of the one above, and stop where it fails."""
    path = HERE / script
    print("->", script, *arguments, flush=True)
    subprocess.run(  # noqa: S603 - our own scripts, no shell
        [sys.executable, str(path), *map(str, arguments)],
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE.parent / "common"), str(HERE.parents[2])))},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--stamps", type=Path, help="transparent PNG files for blanks.py, e.g. Tux Paint's stamps")
    parser.add_argument("--landscapes", type=Path, help="photos for blanks.py, e.g. those of mate-backgrounds")
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--start", type=Path, help="det.onnx to go on from")
    arguments = parser.parse_args()
    work, models = arguments.work, arguments.models
    work.mkdir(parents=True, exist_ok=True)
    labels, checkpoint, blanks = work / "labels.json", work / "det.pt", work / "blanks"
    step("labels.py", "--data", arguments.data, "--teachers", models / "teachers", "--out", labels)
    if arguments.stamps and arguments.landscapes and not blanks.is_dir():
        step(
            "blanks.py", "--objects", arguments.stamps, "--landscapes", arguments.landscapes,
            "--teachers", models / "teachers", "--out", blanks,
        )  # fmt: skip
    further = ["--blanks", blanks] if blanks.is_dir() else []
    further += ["--start", arguments.start] if arguments.start else []
    step(
        "train.py", "--data", arguments.data, "--labels", labels, *further,
        "--checkpoint", checkpoint, "--steps", arguments.steps,
    )  # fmt: skip
    step("export.py", "--checkpoint", checkpoint, "--out", PACK / "det.onnx")
    step("../seal_pack.py", PACK)
    step(
        "evaluate.py", "--data", arguments.data, "--truth", work / "truth.json",
        "--out", PACK / "figures" / "detector.json",
        "--reference", next((models / "reference" / "det_scrfd").glob("*.onnx")),
        "--model", f"compact={PACK / 'det.onnx'}", "--model", f"buffalo_sc={models / 'buffalo_sc' / 'det_500m.onnx'}",
        "--yunet", models / "teachers" / "det_yunet" / "yunet_n_dynamic.onnx",
    )  # fmt: skip


if __name__ == "__main__":
    main()
