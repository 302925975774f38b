"""The main face of every portrait, found by YuNet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from facematch_local.faces import Face
from scripts.training.common.image import Array
from scripts.training.common.photos import LONGEST, Photo, list_portraits, load_photo
from scripts.training.common.yunet import YuNet


class FaceFinder:
    """YuNet; faces of a photo, the most prominent first."""

    def __init__(self, teachers: Path, threshold: float = 0.6) -> None:
        self._yunet = YuNet.of(teachers, threshold)

    def __call__(self, image: Array) -> list[Face]:
        """Searched at two sizes with a grey margin, so that faces filling the frame are found too."""
        for long_side, margin in ((400, 0.15), (220, 0.4), (800, 0.05)):
            scale = long_side / max(image.shape[:2])
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
            pad = int(margin * long_side)
            framed = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(127, 127, 127))
            found = self._yunet(framed)
            if len(found):
                break
        else:
            return []
        found[:, :14] = (found[:, :14] - pad) / scale
        middle = np.array([image.shape[1] / 2, image.shape[0] / 2])
        offset = np.linalg.norm((found[:, :2] + found[:, 2:4]) / 2 - middle, axis=1) / max(image.shape[:2])
        size = np.sqrt(np.prod(np.maximum(found[:, 2:4] - found[:, :2], 1), axis=1))
        order = np.argsort(-size * (1 - offset))
        return [Face(f[:4], f[4:14].reshape(5, 2), float(f[14])) for f in found[order]]


def find_faces(data: Path, teachers: Path, cache: Path, photos: Sequence[Photo] | None = None) -> dict[str, Face]:
    """The main face of every photo that has one; found once, then read from `cache` (JSON).

    Args:
        data: the data folder.
        teachers: folder of the teachers.
        cache: the JSON file.
        photos: the photos; default all portraits.
    """
    known: dict[str, list[float]] = json.loads(cache.read_text()) if cache.exists() else {}
    missing = [photo for photo in (list_portraits(data) if photos is None else photos) if photo.path not in known]
    finder = FaceFinder(teachers)
    for photo in missing:
        image = load_photo(data / photo.path, LONGEST)
        faces = finder(image) if image is not None else []
        face = faces[0] if faces else None
        known[photo.path] = [*face.box.tolist(), *face.landmarks.ravel().tolist(), face.score] if face else []
    if missing:
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps({path: [round(v, 2) for v in values] for path, values in known.items()}))
    rows = {path: np.array(values, np.float32) for path, values in known.items() if values}
    return {path: Face(row[:4], row[4:14].reshape(5, 2), float(row[14])) for path, row in rows.items()}
