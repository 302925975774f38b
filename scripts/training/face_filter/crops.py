"""The stored crop of a candidate, and the network's input cut from it."""

from __future__ import annotations

import cv2
import numpy as np

from facematch_local.imaging.resampling import warp
from facematch_local.networks.face_filter import FACE_FILTER_SCALE, FACE_FILTER_SIZE
from scripts.training.common.image import Array

STORED, STORED_SCALE = 96, 1.8  # pixels and box sides of a stored crop: larger than the input, for jitter


def stored_crop(pixels: Array, box: Array) -> Array:
    """The square of STORED_SCALE times the box's longer side, uint8 [96,96,3] BGR."""
    scale = STORED / (STORED_SCALE * max(box[2] - box[0], box[3] - box[1]))
    shift = STORED / 2 - scale * (box[:2] + box[2:]) / 2
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return warp(pixels, matrix, STORED, border=cv2.BORDER_REPLICATE)


def seen(crop: Array, turn: Array | None = None, middle: Array | None = None) -> Array:
    """The network's input cut from a stored crop, uint8 [64,64,3]; `turn` [2,2] and `middle` [2] (pixels) move it."""
    scale = FACE_FILTER_SIZE / STORED * STORED_SCALE / FACE_FILTER_SCALE
    linear = scale * (np.eye(2) if turn is None else turn)
    middle = np.full(2, STORED / 2) if middle is None else middle
    matrix = np.hstack([linear, (FACE_FILTER_SIZE / 2 - linear @ middle)[:, None]])
    size = (FACE_FILTER_SIZE, FACE_FILTER_SIZE)
    return cv2.warpAffine(crop, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
