"""The recogniser end to end, from the photos to rec.onnx and its figures. Every step resumes or is skipped when done.

    python scripts/training/recogniser/run.py --data DATA --teachers TEACHERS --work WORK --detector DET.onnx

DATA holds the photo sets that `split.py` lists, TEACHERS the folders `det_yunet`, `mesh_mediapipe` and
`rec_openvino_reid0095`. Beside the weights, `figures/recogniser*.json` are written, which the model card quotes.
The pack wants `seal_pack.py` and a new curve (`scripts/calibrate_builtin.py`) afterwards.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDERS = ("recogniser", "detector", "common")
COMPACT = HERE.parents[2] / "models" / "compact"


def step(script: str, **options: object) -> None:
    """Run one script of this folder; the shared readers of photos and landmarks lie with the detector's."""
    flags = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    path = os.pathsep.join([*(str(HERE.parent / folder) for folder in FOLDERS), str(HERE.parents[2])])
    subprocess.run(  # noqa: S603 - our own scripts, no shell
        [sys.executable, str(HERE / script), *flags], check=True, env={**os.environ, "PYTHONPATH": path}
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teachers", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder for crops, morphs and the checkpoint")
    parser.add_argument("--detector", type=Path, required=True, help="SCRFD-like ONNX that finds the faces measured")
    parser.add_argument("--minutes", type=float, default=95)
    parser.add_argument("--start", type=Path, help="rec.onnx to go on from")
    parser.add_argument("--shards", type=int, default=140, help="morph shards of 1,024")
    parser.add_argument("--out", type=Path, default=COMPACT)
    arguments = parser.parse_args()
    work, teachers = arguments.work, arguments.teachers
    faces, targets, checkpoint = work / "faces.npz", work / "targets.npz", work / "recogniser.pt"
    if not faces.exists():
        step("faces.py", data=arguments.data, teachers=teachers, out=faces)
    if not targets.exists():
        step("teacher.py", faces=faces, teachers=teachers, out=targets)
    step("morphs.py", faces=faces, targets=targets, teachers=teachers, out=work / "morphs", shards=arguments.shards)
    start = {"start": arguments.start} if arguments.start else {}
    step("train.py", work=work, teachers=teachers, checkpoint=checkpoint, minutes=arguments.minutes, **start)
    weights = arguments.out / "rec.onnx"
    figures, landmarks = arguments.out / "figures", arguments.out / "heads" / "landmarks.onnx"
    step("to_onnx.py", checkpoint=checkpoint, out=weights, summary=figures / "recogniser-training.json")
    step("centre.py", work=work, weights=weights)
    step(
        "evaluate.py",
        data=arguments.data,
        detector=arguments.detector,
        **({"landmarks": landmarks} if landmarks.exists() else {}),
        cache=work / "test.npz",
        teachers=teachers,
        recogniser=f"compact={weights}",
        out=figures / "recogniser.json",
    )


if __name__ == "__main__":
    main()
