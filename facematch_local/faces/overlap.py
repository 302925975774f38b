"""Removal of duplicate boxes around one face."""

from __future__ import annotations

import numpy as np

from facematch_local.faces.face import Face

# Two boxes contain the same face if the share of the smaller box inside the larger one and the ratio of their areas
# exceed either pair of limits. Boxes of people cheek to cheek overlap by a quarter; a face on a shirt or a poster has a
# lower ratio of areas to its wearer's face. The limits belong to the detection, like the scores of `DetectionSettings`,
# and not to the policy: they say which boxes are one face, before any check and in both roles.
_MOSTLY, _LIKE_SIZE = 0.5, 0.4
_WHOLLY, _NESTED_SIZE = 0.8, 0.2


def distinct(faces: tuple[Face, ...]) -> tuple[Face, ...]:
    """Remove duplicate boxes and keep the one with the higher score; largest first.

    A duplicate lies mostly inside the other box and is of similar size, or lies almost wholly inside it.
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
