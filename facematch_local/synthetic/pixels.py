"""Conversions and sizes that the drawing functions share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.photo import Pixels
from facematch_local.imaging.resampling import scaled


def to_uint8(values: NDArray[np.generic]) -> Pixels:
    """Values rounded to the nearest integer and clipped to 0 to 255, as uint8."""
    return np.clip(np.rint(values.astype(np.float32)), 0, 255).astype(np.uint8)


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    """The pixels after one JPEG compression at `quality` (1 to 100)."""
    import cv2

    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return to_uint8(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)))


def fitted_to(photo: Pixels, longest: int) -> Pixels:
    """The photo enlarged or reduced to `longest` pixels on its longer side."""
    import cv2

    factor = longest / max(photo.shape[:2])
    if factor < 1:
        return scaled(photo, factor)
    size = (round(photo.shape[1] * factor), round(photo.shape[0] * factor))
    return to_uint8(cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC))


def cropped_to(portrait: Pixels, width: int, height: int) -> Pixels:
    """The largest centred part in the proportions of `width` to `height`, resized to that size."""
    import cv2

    h, w = portrait.shape[:2]
    side = min(w / width, h / height)
    cw, ch = min(round(side * width), w), min(round(side * height), h)
    x, y = (w - cw) // 2, (h - ch) // 2
    part = portrait[y : y + ch, x : x + cw]
    how = cv2.INTER_AREA if cw > width else cv2.INTER_CUBIC
    return to_uint8(cv2.resize(part, (width, height), interpolation=how))
