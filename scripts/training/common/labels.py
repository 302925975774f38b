"""Pseudo-labels from permissively licensed teachers: YuNet boxes and points, averaged with two others' points.

Faces are searched upright and in the three other quarter turns. Boxes and points are means over flips and scales; where
the MediaPipe mesh and Open Model Zoo's landmark network agree with YuNet their five points are averaged in, as three
teachers err less than any of them.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.arguments import parser_of
from scripts.training.common.boxes import iou, mirrored, turned_back
from scripts.training.common.image import Array
from scripts.training.common.landmarkers import FivePoints, Mesh
from scripts.training.common.photos import SETS, list_photos, load_photo
from scripts.training.common.yunet import YuNet

SURE = 0.7  # score from which a label is trained on


def agreed(points: Array, mesh: Array, five: Array, limit: float) -> Array:
    """One reading [5,2] of three teachers'; the second and the third count where they lie within `limit` pixels.

    Mean of the first two, then of that and the third, which errs least.
    """
    if np.linalg.norm(mesh - points, axis=1).max() < limit:
        points = (points + mesh) / 2
    if np.linalg.norm(five - points, axis=1).max() < limit:
        points = (points + five) / 2
    return points


def label(image: Array, yunet: YuNet, mesh: Mesh, five: FivePoints, turns: bool) -> Array:
    """Faces [N,15] of a photo; those with a score below SURE are to be ignored in training."""
    size = max(image.shape[:2])
    base = min(1.0, 360 / size) if not turns else 1.0
    base = max(base, 300 / size)
    scales = [base, base * 0.8] if not turns else sorted({base, base * 0.5, min(base * 2, 1280 / size)})
    found = [yunet(image, s) for s in scales]
    found += [mirrored(yunet(np.ascontiguousarray(image[:, ::-1]), s), image.shape[1]) for s in scales[:2]]
    if turns:
        for quarter in (1, 2, 3):
            part = yunet(np.ascontiguousarray(np.rot90(image, quarter)), base)
            part = turned_back(part[part[:, 14] > 0.8], quarter, image.shape)
            part[:, 14] -= 0.1  # an upright reading of the same face wins
            found.append(part)
    faces = np.concatenate(found)
    faces = faces[np.argsort(-faces[:, 14], kind="stable")]
    out = []
    while len(faces):
        same = iou(faces[0], faces) > 0.45
        group = faces[same]
        eyes = np.linalg.norm(group[:, 6:8] - group[:, 4:6], axis=1).max() + 1e-6
        close = np.abs(group[:, 4:14] - group[0, 4:14]).max(1) < 0.25 * eyes
        best = np.average(group[close], axis=0, weights=group[close, 14])
        best[14] = group[0, 14]
        out.append(best)
        faces = faces[~same]
    for face in out:
        if face[14] < SURE or min(face[2:4] - face[:2]) < 24:
            continue
        points = face[4:14].reshape(5, 2)
        side = np.sqrt(np.prod(face[2:4] - face[:2]))
        across = points[1] - points[0]
        readings = mesh.five(image, face[:4], points), five(image, face[:4], float(np.arctan2(across[1], across[0])))
        face[4:14] = agreed(points, *readings, 0.09 * side).ravel()
    return np.array(out).reshape(-1, 15)


def main() -> None:
    parser = parser_of(__doc__, "data", "teachers")
    parser.add_argument("--out", type=Path, required=True, help="labels.json to write; photos in it already are kept")
    parser.add_argument("--part", default="0/1", help="K/N: only every Nth photo from the Kth on, to work side by side")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    yunet = YuNet.of(arguments.teachers)
    mesh = Mesh(arguments.teachers)
    five = FivePoints(arguments.teachers)
    labels: dict[str, list[list[float]]] = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    first, step = (int(number) for number in arguments.part.split("/"))
    photos = [p for p in list_photos(arguments.data) if p.source in arguments.sets][first::step]
    start = time.time()
    for i, photo in enumerate(photos):
        if photo.held_out or photo.path in labels:
            continue
        image = load_photo(arguments.data / photo.path)
        if image is None:
            continue
        labels[photo.path] = label(image, yunet, mesh, five, turns=photo.source != "lfw").round(3).tolist()
        if i % 1000 == 0:
            print(f"{i}/{len(photos)} {time.time() - start:.0f} s", flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(labels))


if __name__ == "__main__":
    main()
