"""Measure SCRFD-layout detectors, and YuNet beside them, on photos that were not trained on.

Everything runs through insightface's own `SCRFD.detect`, so what is measured is what runs.
"""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scripts.training.common.arguments import parser_of
from scripts.training.common.boxes import iou
from scripts.training.common.detection import (
    Case,
    Detects,
    false_faces,
    recall,
    remembered,
    scrfd,
    through_analyser,
    truth,
    yunet,
)
from scripts.training.common.held_out import (
    ROUGH_OVERLAP,
    SEED,
    Change,
    Held,
    blurred,
    close_up,
    crowd,
    dark,
    grey,
    on_card,
    turned,
    worn,
)
from scripts.training.common.image import Array
from scripts.training.common.sessions import open_session


def landmark_error(detect: Detects, reference: Detects, images: Iterable[Array], size: int) -> dict[str, Any]:
    """Mean point distance over the reference's eye distance, on its faces that lean by at most 20 degrees."""
    errors, per_point = [], []
    for image in images:
        true_boxes, true_points = truth(reference, image)
        boxes, points = detect(image, size)
        for box, want in zip(true_boxes, true_points, strict=True):
            across = want[1] - want[0]
            if not len(boxes) or abs(math.degrees(math.atan2(across[1], across[0]))) > 20 or box[4] < 0.6:
                continue
            overlaps = iou(box[:4], boxes[:, :4])
            if overlaps.max() < 0.5:
                continue
            distance = np.linalg.norm(points[overlaps.argmax()] - want, axis=1) / np.linalg.norm(across)
            errors.append(float(distance.mean()))
            per_point.append(distance)
    names = ("left eye", "right eye", "nose", "left mouth", "right mouth")
    return {
        "faces": len(errors),
        "nme_percent": round(100 * statistics.fmean(errors), 2),
        "median_percent": round(100 * statistics.median(errors), 2),
        "by_point_percent": {
            name: round(float(100 * value), 2) for name, value in zip(names, np.mean(per_point, axis=0), strict=True)
        },
    }


def milliseconds(path: Path, size: int, rounds: int = 25) -> float:
    """Median time of one run of the network alone, one thread."""
    session = open_session(path)
    blob = np.random.default_rng(0).standard_normal((1, 3, size, size)).astype(np.float32)
    times = []
    for _ in range(rounds):
        start = time.process_time()  # CPU time: the machine may be shared
        session.run(None, {session.get_inputs()[0].name: blob})
        times.append(time.process_time() - start)
    return round(1000 * statistics.median(times[5:]), 2)


def measures(detect: Detects, reference: Detects, held: Held) -> dict[str, Callable[[], dict[str, Any]]]:
    """The measurements of one detector, the figures that matter most first."""
    library = through_analyser(detect)

    def made(change: Change, by: Detects = detect, size: int = 320) -> Any:
        rng = np.random.default_rng(SEED)
        return recall(by, [change(photo, rng) for photo in held.labelled], size).report()

    def crowds() -> list[Case]:
        rng = np.random.default_rng(SEED)
        return [crowd(held.labelled, rng) for _ in range(6)]

    out: dict[str, Callable[[], dict[str, Any]]] = {
        "false_faces_no_card_640": lambda: false_faces(detect, held.blank, 640),
        "false_faces_no_card_320": lambda: false_faces(detect, held.blank, 320),
        "lfw_320": lambda: recall(detect, held.lfw, 320, ROUGH_OVERLAP).report(),
        "landmarks_lfw_320": lambda: landmark_error(detect, reference, [p.pixels for p in held.labelled], 320),
        "groups_640": lambda: recall(detect, held.of("groups"), 640).report(),
        "made_crowd_32_to_60_px_640": lambda: recall(detect, crowds(), 640).report(),
        "photocopies_640": lambda: recall(detect, held.of("photocopies"), 640).report(),
        "cards_640": lambda: recall(detect, held.of("cards"), 640).report(),
        "made_card_portraits_640": lambda: made(on_card, size=640),
        "made_close_up_320": lambda: made(close_up),
        "made_close_up_as_in_library": lambda: made(close_up, library),
    }
    for source in ("asian_faces", "sunglasses", "masks", "scenes"):
        out[f"{source}_main_face_320"] = lambda s=source: recall(detect, held.main_face(s), 320).report()
        out[f"{source}_main_face_640"] = lambda s=source: recall(detect, held.main_face(s), 640).report()
        out[f"{source}_main_face_as_in_library"] = lambda s=source: recall(library, held.main_face(s), 640).report()
    out["landmarks_asian_faces_320"] = lambda: landmark_error(
        detect, reference, [case.image for case in held.of("asian_faces")], 320
    )
    for name, change in (("dark", dark), ("blurred", blurred), ("grey_copy", grey)):
        out[f"made_{name}_320"] = lambda c=change: made(c)
    for degrees in (-45, -30, 30, 45, 90, 180):
        out[f"made_turned_{degrees}_320"] = lambda d=degrees: made(turned(d))
    for kind in ("mask", "sunglasses", "glasses", "hat"):
        out[f"made_{kind}_320"] = lambda k=kind: made(worn(k))
    out["false_faces_no_card_as_in_library"] = lambda: false_faces(library, held.blank, 640)
    return out


def main() -> None:
    parser = parser_of(__doc__, "data")
    parser.add_argument("--model", action="append", default=[], help="NAME=FILE of an ONNX file in SCRFD layout")
    parser.add_argument("--yunet", type=Path, help="YuNet ONNX file, measured as `yunet`")
    parser.add_argument(
        "--reference", type=Path, required=True, help="SCRFD-2.5G with points: the truth, never a teacher"
    )
    parser.add_argument("--truth", type=Path, help="file that keeps the reference's answers between runs")
    parser.add_argument("--lfw", type=int, default=10_000, help="LFW photos at most")
    parser.add_argument("--limit", type=int, default=10_000, help="photos of any other set at most")
    parser.add_argument("--few", type=int, default=300, help="photos per synthetic case")
    parser.add_argument("--out", type=Path, help="figures as JSON")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    reference = scrfd(arguments.reference)
    if arguments.truth:
        reference = remembered(reference, arguments.truth)
    held = Held(arguments.data, reference, arguments.lfw, arguments.limit, arguments.few)
    files = {name: Path(file) for name, _, file in (pair.partition("=") for pair in arguments.model)}
    detectors = {name: scrfd(file) for name, file in files.items()}
    if arguments.yunet:
        detectors["yunet"] = yunet(arguments.yunet)
    report: dict[str, Any] = json.loads(arguments.out.read_text()) if arguments.out and arguments.out.exists() else {}
    report |= {
        name: {"milliseconds_one_thread": {str(size): milliseconds(file, size) for size in (320, 640)}}
        for name, file in files.items()
    }
    for name, detect in detectors.items():
        figures = report.setdefault(name, {})
        for case, measure in measures(detect, reference, held).items():
            figures[case] = measure()
            print(name, case, json.dumps(figures[case]), flush=True)
            if arguments.out:  # after each: the figures of an evaluation cut short are still worth having
                arguments.out.write_text(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
