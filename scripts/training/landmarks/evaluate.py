"""Distance of a detector's landmarks from the reference's, before and after the pack's landmark network.

    python -m scripts.training.landmarks.evaluate --data DATA --reference DET_SCRFD.onnx --pack models/compact

On the held-out half only. The error is the mean distance of the five points over the reference's eye distance (NME,
ISO/IEC 29794-5 calls it inter-eye distance), on its faces that lean by at most 20 degrees. Writes
`figures/landmarks.json` of the pack. The reference serves for measuring only.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from facematch_local.faces import FaceAnalyser
from facematch_local.packs import load_pack, read_pack
from scripts.training.common.arguments import add_pack, parser_of
from scripts.training.common.boxes import iou
from scripts.training.common.detection import scrfd, truth
from scripts.training.common.image import Array
from scripts.training.common.photos import list_photos, load_photo

SETS = ("lfw", "asian_faces", "masks", "sunglasses", "scenes")
LIMIT, SEED = 300, 20


def error(points: Array, want: Array) -> float:
    """Mean distance of points [5,2] over the eye distance of `want`."""
    return float(np.linalg.norm(points - want, axis=1).mean() / np.linalg.norm(want[1] - want[0]))


def errors(analyser: FaceAnalyser, reference: Any, photos: list[Path]) -> tuple[list[float], list[float]]:
    """Of every face that both find: errors without and with the landmark network."""
    before, after = [], []
    assert analyser.locator is not None
    detector = replace(analyser, locator=None)
    for file in photos:
        image = load_photo(file, 1280)
        if image is None:
            continue
        boxes, points = truth(reference, image)
        for face in detector.find(image)[:1]:
            overlaps = iou(face.box, boxes[:, :4]) if len(boxes) else np.zeros(0)
            if not len(overlaps) or overlaps.max() < 0.5:
                continue
            best = int(overlaps.argmax())
            want = points[best]
            if not _serves(boxes[best], want):
                continue
            before.append(error(face.landmarks, want))
            after.append(error(analyser.locator.locate(image, face.landmarks, face.box), want))
    return before, after


def label_errors(labels: dict[str, Any], data: Path, reference: Any, photos: list[str]) -> list[float]:
    """Of the surest labelled face of every photo: how far the labels themselves are from the reference."""
    found = []
    for path in photos:
        rows = np.array(labels.get(path) or []).reshape(-1, 15)
        image = load_photo(data / path) if len(rows) else None
        if image is None:
            continue
        row = rows[int(rows[:, 14].argmax())]
        boxes, points = truth(reference, image)
        overlaps = iou(row[:4], boxes[:, :4]) if len(boxes) else np.zeros(0)
        if len(overlaps) and overlaps.max() >= 0.5 and _serves(boxes[overlaps.argmax()], points[overlaps.argmax()]):
            found.append(error(row[4:14].reshape(5, 2), points[overlaps.argmax()]))
    return found


def _serves(box: Array, points: Array) -> bool:
    """Whether a face of the reference is sure and leans by at most 20 degrees."""
    across = points[1] - points[0]
    return bool(box[4] >= 0.6 and abs(math.degrees(math.atan2(across[1], across[0]))) <= 20)


def milliseconds(analyser: FaceAnalyser) -> float:
    """Median time of the network on one face, crop and all, one thread."""
    assert analyser.locator is not None
    image = np.full((480, 480, 3), 127, np.uint8)
    points = np.float32([[190, 200], [290, 200], [240, 260], [200, 310], [280, 310]])
    box, times = np.float32([140, 120, 340, 360]), []
    for _ in range(60):
        start = time.process_time()
        analyser.locator.locate(image, points, box)
        times.append(time.process_time() - start)
    return round(1000 * float(np.median(times[10:])), 2)


def main() -> None:
    parser = parser_of(__doc__, "data", "reference")
    parser.add_argument("--labels", type=Path, help="labels.json of the training half: measure the labels too")
    add_pack(parser)
    arguments = parser.parse_args()
    analyser = load_pack(read_pack(arguments.pack)).analyser
    reference = scrfd(arguments.reference)
    result: dict[str, Any] = {"ms_one_thread": milliseconds(analyser)}
    if arguments.labels:
        labels = json.loads(arguments.labels.read_text())
        for source in ("lfw", "asian_faces"):
            of_set = sorted(path for path in labels if path.startswith(f"{source}/"))
            chosen = np.random.default_rng(SEED).permutation(len(of_set))[:LIMIT]
            found = label_errors(labels, arguments.data, reference, [of_set[i] for i in sorted(chosen)])
            result[f"labels_{source}"] = {"faces": len(found), "nme_percent": round(100 * float(np.mean(found)), 2)}
            print(f"labels {source}", result[f"labels_{source}"], flush=True)
    held = [photo for photo in list_photos(arguments.data) if photo.held_out]
    for source in SETS:
        of_set = [arguments.data / photo.path for photo in held if photo.source == source]
        chosen = np.random.default_rng(SEED).permutation(len(of_set))[:LIMIT]
        before, after = errors(analyser, reference, [of_set[i] for i in sorted(chosen)])
        if not before:
            continue
        result[source] = {
            "faces": len(before),
            "nme_percent_detector": round(100 * float(np.mean(before)), 2),
            "nme_percent_with_head": round(100 * float(np.mean(after)), 2),
            "median_percent_detector": round(100 * float(np.median(before)), 2),
            "median_percent_with_head": round(100 * float(np.median(after)), 2),
        }
        print(source, result[source], flush=True)
    (arguments.pack / "figures" / "landmarks.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
