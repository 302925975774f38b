"""Boxes and rows of faces [N,15]: x1,y1,x2,y2, five points x,y, score, in pixels."""

from __future__ import annotations

import numpy as np

from scripts.training.common.geometry import FLIP
from scripts.training.common.image import Array


def iou(box: Array, boxes: Array) -> Array:
    """Intersection over union of one box [4] with boxes [N,4] (corners)."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:4], boxes[:, 2:4])
    overlap = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1)
    return overlap / (np.prod(box[2:4] - box[:2]) + areas - overlap + 1e-9)


def mirrored(faces: Array, width: int) -> Array:
    """The same faces in the horizontally mirrored photo."""
    out = faces.copy()
    out[:, [0, 2]] = width - faces[:, [2, 0]]
    points = faces[:, 4:14].reshape(-1, 5, 2)[:, FLIP].copy()
    points[..., 0] = width - points[..., 0]
    out[:, 4:14] = points.reshape(-1, 10)
    return out


def turned_back(faces: Array, quarter: int, shape: tuple[int, ...]) -> Array:
    """Faces found in np.rot90(image, quarter), in pixels of the image itself."""
    out = faces.copy()
    height, width = shape[:2]

    def back(x: Array, y: Array) -> tuple[Array, Array]:
        if quarter == 1:
            return width - y, x
        if quarter == 2:
            return width - x, height - y
        return y, height - x

    for i in range(4, 14, 2):
        out[:, i], out[:, i + 1] = back(faces[:, i], faces[:, i + 1])
    ax, ay = back(faces[:, 0], faces[:, 1])
    bx, by = back(faces[:, 2], faces[:, 3])
    out[:, 0], out[:, 2] = np.minimum(ax, bx), np.maximum(ax, bx)
    out[:, 1], out[:, 3] = np.minimum(ay, by), np.maximum(ay, by)
    return out
