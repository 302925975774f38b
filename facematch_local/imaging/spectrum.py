"""Periodic patterns at the face: traces of a halftone, a pixel grid or their moire, which skin does not show.

After Garcia and de Queiroz, "Face-spoofing 2D-detection based on Moire-pattern analysis", IEEE TIFS 10, 2015.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SIDE: Final = 256
_LEAST_SIDE: Final = 96
# Below this frequency, in cycles per pixel, faces themselves have structure.
_LOWEST: Final = 0.1


def period_of(pixels: NDArray[np.uint8], box: NDArray[np.float32]) -> float | None:
    """Strength of the strongest periodic pattern around the centre of a face.

    The analysed square has sides of 256 pixels, or the photo's shorter side if that is less; for a small face it
    includes the surroundings.

    Args:
        pixels: HxWx3 uint8 BGR photo at its own resolution.
        box: (4,) left, top, right, bottom of the face in pixels of the photo.

    Returns:
        Height of the spectral peak over its surroundings, natural logarithm (see `strongest_period`); None if the
        photo's shorter side is below 96 pixels.
    """
    patch = _middle(pixels, box)
    return None if patch is None else strongest_period(patch)


def strongest_period(grey: NDArray[np.float32]) -> float:
    """Height of the strongest spectral peak of a square grey image over its surroundings, natural logarithm.

    Args:
        grey: (side, side) float32, 0 to 255.
    """
    import cv2

    side = grey.shape[0]
    # OpenCV transforms a complex picture several times faster than a real one to a complex spectrum.
    picture = np.zeros((side, side, 2), np.float32)
    np.multiply(grey - grey.mean(), _window(side), out=picture[..., 0])
    logarithm = cv2.log(np.fft.fftshift(cv2.magnitude(*cv2.split(cv2.dft(picture)))) + 1)
    # Local mean of the spectrum: a peak covers few of the 17x17 bins.
    excess = cv2.subtract(cv2.blur(logarithm, (2, 2)), cv2.blur(logarithm, (17, 17)))
    _, highest, _, _ = cv2.minMaxLoc(excess, mask=_asked(side))
    return float(highest)


@functools.lru_cache(4)
def _window(side: int) -> NDArray[np.float32]:
    """Two-dimensional Hann window, (side, side) float32."""
    window = np.hanning(side).astype(np.float32)
    result: NDArray[np.float32] = window[:, None] * window[None, :]
    return result


@functools.lru_cache(4)
def _asked(side: int) -> NDArray[np.uint8]:
    """Mask of the analysed frequencies in a centred spectrum, (side, side), 1 or 0."""
    frequency = np.fft.fftshift(np.fft.fftfreq(side))
    fx, fy = np.abs(frequency)[None, :], np.abs(frequency)[:, None]
    # The JPEG grid and the image borders cause energy on the axes; exclude them.
    return np.asarray((np.hypot(fx, fy) > _LOWEST) & (fx > 3 / side) & (fy > 3 / side), np.uint8)


def _middle(pixels: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The square at the centre of the box as grey; without resampling, which would destroy the patterns."""
    import cv2

    height, width = pixels.shape[:2]
    side = min(_SIDE, height, width)
    if side < _LEAST_SIDE:
        return None
    left = int(np.clip(round(float(box[0] + box[2]) / 2 - side / 2), 0, width - side))
    top = int(np.clip(round(float(box[1] + box[3]) / 2 - side / 2), 0, height - side))
    patch = pixels[top : top + side, left : left + side]
    return cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY).astype(np.float32)
