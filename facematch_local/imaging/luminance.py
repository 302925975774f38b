"""Luminance as ISO/IEC 29794-5 defines it, and its histogram."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.photo import Pixels

# ITU-R BT.709: weights of blue, green and red light.
_BLUE, _GREEN, _RED = 0.0722, 0.7152, 0.2126


def luminance(pixels: Pixels) -> NDArray[np.uint8]:
    """Relative luminance of an sRGB image, proportional to light: HxW uint8, 0 black to 255 white.

    Args:
        pixels: HxWx3 uint8 BGR, sRGB.
    """
    light: NDArray[np.float32] = _light()[pixels] @ np.array([_BLUE, _GREEN, _RED], np.float32)
    return np.asarray(light * 255 + 0.5).astype(np.uint8)


def histogram(grey: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Shares of the 256 values among the masked pixels: (256,) float64 with the sum 1; zeros without a masked pixel.

    Args:
        grey: HxW uint8.
        mask: HxW bool, the pixels that count.
    """
    counts = np.bincount(grey[mask], minlength=256).astype(np.float64)
    return np.asarray(counts / max(float(counts.sum()), 1.0))


@lru_cache(maxsize=1)
def _light() -> NDArray[np.float32]:
    """Light by value of an sRGB channel, (256,) float32, 0 to 1 (IEC 61966-2-1)."""
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)
