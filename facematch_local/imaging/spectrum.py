"""Periodic patterns at the face: what a halftone, a pixel grid and their moire leave in a picture, and skin does not.

After Garcia and de Queiroz, "Face-spoofing 2D-detection based on Moire-pattern analysis", IEEE TIFS 10, 2015.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SIDE: Final = 256
_LEAST_SIDE: Final = 96
# Below this frequency (cycles per pixel) a face has structure of its own.
_LOWEST: Final = 0.1


def period_of(pixels: NDArray[np.uint8], box: NDArray[np.float32]) -> float | None:
    """The strongest period at the middle of a face, ln; None where the photo has too few pixels.

    A square of 256 pixels, or all that the photo has: of a small face what is beside it is looked at too.

    Args:
        pixels: HxWx3 uint8 BGR photo at its own resolution.
        box: (4,) left, top, right, bottom of the face in its pixels.
    """
    patch = _middle(pixels, box)
    return None if patch is None else strongest_period(patch)


def strongest_period(grey: NDArray[np.float32]) -> float:
    """The strongest peak of the spectrum of a square grey picture over its surroundings, natural logarithm."""
    import cv2

    window = _window(grey.shape[0])
    waves = cv2.dft((grey - grey.mean()) * window, flags=cv2.DFT_COMPLEX_OUTPUT)
    logarithm = cv2.log(np.fft.fftshift(cv2.magnitude(waves[..., 0], waves[..., 1])) + 1)
    # What is usual around a frequency, the peak's own few bins among many others.
    usual = cv2.blur(logarithm, (17, 17))
    excess = cv2.blur(logarithm, (2, 2)) - usual
    return float(excess[_asked(grey.shape[0])].max())


@functools.lru_cache(4)
def _window(side: int) -> NDArray[np.float32]:
    """(side, side), Hann's in both directions."""
    window = np.hanning(side).astype(np.float32)
    result: NDArray[np.float32] = window[:, None] * window[None, :]
    return result


@functools.lru_cache(4)
def _asked(side: int) -> NDArray[np.bool_]:
    """(side, side): of a spectrum with frequency 0 in the middle, the frequencies that are looked at."""
    frequency = np.fft.fftshift(np.fft.fftfreq(side))
    fx, fy = np.abs(frequency)[None, :], np.abs(frequency)[:, None]
    # Edges of the JPEG grid, and of the picture, lie on the axes.
    asked: NDArray[np.bool_] = (np.hypot(fx, fy) > _LOWEST) & (fx > 3 / side) & (fy > 3 / side)
    return asked


def _middle(pixels: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The square at the middle of the box, not resampled: that would destroy what is looked for."""
    import cv2

    height, width = pixels.shape[:2]
    side = min(_SIDE, height, width)
    if side < _LEAST_SIDE:
        return None
    left = int(np.clip(round(float(box[0] + box[2]) / 2 - side / 2), 0, width - side))
    top = int(np.clip(round(float(box[1] + box[3]) / 2 - side / 2), 0, height - side))
    patch = pixels[top : top + side, left : left + side]
    return cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY).astype(np.float32)
