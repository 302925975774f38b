"""The recogniser end to end, from the photos to rec.onnx and its figures.

    python -m scripts.training.recogniser.run --data DATA --teachers TEACHERS --work WORK --detector DET.onnx

DATA holds the photo sets that `common/photos.py` lists, TEACHERS the folders `det_yunet`, `mesh_mediapipe` and
`rec_openvino_reid0095`. Each step resumes, or is skipped when it is done. The run also writes
`figures/recogniser*.json`, which the model card quotes. Run `seal_pack.py` and make a new curve
(`scripts/calibrate_builtin.py`) afterwards.
"""

from __future__ import annotations

from pathlib import Path

from scripts.training.common.arguments import add_out, parser_of
from scripts.training.common.steps import option, step


def main() -> None:
    parser = parser_of(__doc__, "data", "teachers")
    parser.add_argument("--work", type=Path, required=True, help="folder for crops, morphs and the checkpoint")
    parser.add_argument("--detector", type=Path, required=True, help="SCRFD-like ONNX that finds the faces measured")
    parser.add_argument("--minutes", type=float, default=95)
    parser.add_argument("--start", type=Path, help="rec.onnx to go on from")
    parser.add_argument("--shards", type=int, default=140, help="morph shards of 1,024")
    add_out(parser)
    arguments = parser.parse_args()
    data, teachers, work = arguments.data, arguments.teachers, arguments.work
    faces, targets, checkpoint = work / "faces.npz", work / "targets.npz", work / "recogniser.pt"
    if not faces.exists():
        step("recogniser.data", "--data", data, "--teachers", teachers, "--out", faces)
    if not targets.exists():
        step("recogniser.teacher", "--faces", faces, "--teachers", teachers, "--out", targets)
    step(
        "recogniser.morphs", "--faces", faces, "--targets", targets, "--teachers", teachers, "--out", work / "morphs",
        "--shards", arguments.shards,
    )  # fmt: skip
    step(
        "recogniser.train", "--work", work, "--teachers", teachers, "--checkpoint", checkpoint,
        "--minutes", arguments.minutes, *option("start", arguments.start),
    )  # fmt: skip
    weights = arguments.out / "rec.onnx"
    figures, landmarks = arguments.out / "figures", arguments.out / "networks" / "landmarks.onnx"
    summary = figures / "recogniser-training.json"
    step("recogniser.export", "--checkpoint", checkpoint, "--out", weights, "--summary", summary)
    step("recogniser.centre", "--work", work, "--weights", weights)
    step(
        "recogniser.evaluate", "--data", data, "--detector", arguments.detector,
        *option("landmarks", landmarks if landmarks.exists() else None), "--cache", work / "test.npz",
        "--teachers", teachers, "--recogniser", f"compact={weights}", "--out", figures / "recogniser.json",
    )  # fmt: skip


if __name__ == "__main__":
    main()
