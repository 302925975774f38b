"""Boxes that are about one face."""

from __future__ import annotations

import numpy as np

from facematch_local.faces.face import Face

# Shares of the smaller box that lie in the larger one, and of the larger one's area, from which two boxes are about one
# face. People cheek to cheek overlap by a quarter; a face on a shirt or a poster is smaller yet beside its wearer's.
_MOSTLY, _LIKE_SIZE = 0.5, 0.4
_WHOLLY, _NESTED_SIZE = 0.8, 0.2


def distinct(faces: tuple[Face, ...]) -> tuple[Face, ...]:
    """The faces, largest first, without those that are a second box around a surer one.

    A second box lies for the most part in the first and is not much smaller, or lies wholly in it.
    """
    if len(faces) < 2:
        return faces
    faces = tuple(sorted(faces, key=lambda face: face.score, reverse=True))
    boxes = np.stack([face.box for face in faces])
    areas = np.array([face.area for face in faces])
    kept: list[int] = []
    for at in range(len(faces)):
        others = boxes[kept]
        sides = np.minimum(boxes[at, 2:], others[:, 2:]) - np.maximum(boxes[at, :2], others[:, :2])
        small, large = np.minimum(areas[at], areas[kept]), np.maximum(areas[at], areas[kept])
        inside = np.maximum(sides, 0.0).prod(axis=1) / np.maximum(small, 1e-6)
        ratio = small / np.maximum(large, 1e-6)
        if not (((inside > _MOSTLY) & (ratio > _LIKE_SIZE)) | ((inside > _WHOLLY) & (ratio > _NESTED_SIZE))).any():
            kept.append(at)
    return tuple(sorted((faces[at] for at in kept), key=lambda face: face.area, reverse=True))
