"""Types and small operations of 8-bit images."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
Rng = np.random.Generator


def jpeg(pixels: Array, quality: int) -> Array:
    """Compress and decode again.

    Args:
        pixels: BGR uint8 [H,W,3].
        quality: JPEG quality of OpenCV, 0 to 100.

    Returns:
        BGR uint8 [H,W,3].
    """
    code = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(code, cv2.IMREAD_COLOR)
