"""Small JPEG images for reports."""

from __future__ import annotations

import cv2
import numpy as np

from facematch_local.imaging.decode import encode_jpeg
from facematch_local.imaging.photo import Pixels


def thumbnail(pixels: Pixels, longest: int, quality: int) -> bytes:
    """A JPEG of `pixels` (HxWx3 uint8 BGR), resized to `longest` pixels on its longer side."""
    scale = longest / max(pixels.shape[:2])
    size = (max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return encode_jpeg(small.astype(np.uint8, copy=False), quality)
