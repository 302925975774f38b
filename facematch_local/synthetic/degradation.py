"""Blur and crops that a camera or its user causes."""

from __future__ import annotations

import numpy as np

from facematch_local.imaging.photo import Pixels
from facematch_local.synthetic.pixels import to_uint8


def motion_blur(photo: Pixels, length: int, rng: np.random.Generator) -> Pixels:
    """The photo blurred by a motion of `length` pixels in a random direction."""
    import cv2

    size = max(length | 1, 3)
    kernel = np.zeros((size, size), np.float32)
    kernel[size // 2] = 1
    turn = cv2.getRotationMatrix2D((size // 2, size // 2), float(rng.uniform(0, 180)), 1)
    kernel = cv2.warpAffine(kernel, turn, (size, size)).astype(np.float32)
    return to_uint8(cv2.filter2D(photo, -1, kernel / kernel.sum()))


def gaussian_blur(photo: Pixels, sigma: float) -> Pixels:
    """The photo out of focus: a Gaussian blur with a standard deviation of `sigma` pixels."""
    import cv2

    return to_uint8(cv2.GaussianBlur(photo, (0, 0), sigma))


def cut(photo: Pixels, rng: np.random.Generator, share: float) -> Pixels:
    """The photo without a strip of `share` of one side, chosen at random."""
    height, width = photo.shape[:2]
    side = int(rng.integers(4))
    x, y = round(share * width), round(share * height)
    left, top = (x if side == 0 else 0), (y if side == 1 else 0)
    right, bottom = width - (x if side == 2 else 0), height - (y if side == 3 else 0)
    return np.ascontiguousarray(photo[top:bottom, left:right])
