"""The grid of a display at the photo's own resolution: how far a line of the spectrum stands above its surroundings.

Unlike `facematch_local.imaging.spectrum`, it averages over several windows, so that a faint grid adds up; it compresses
contrast, so that edges do not hide a grid; and it looks along the axes too, where displays held straight have theirs.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SIDE: Final = 128
"""Pixels of a window, each way."""
_STEP: Final = 64
_HALF: Final = _SIDE // 2 + 1
"""Columns that say everything: a spectrum of grey levels is symmetric."""
_BOX: Final = 7  # pixels each way
_MOST: Final = 4  # windows each way
_LOWEST, _HIGHEST = 0.09, 0.5  # cycles per pixel
_BLOCKS: Final = 16  # bins between harmonics of the blocks of 8x8 pixels of JPEG
_FAINT: Final = 4.0  # grey levels of detail that count half as much as the strongest
_SURROUNDINGS: Final = 11  # bins
_READ: Final = _HALF + _SURROUNDINGS // 2  # columns, with the surroundings of the last one
_STEPS, _FLOOR = 12.0, -8.0  # for each unit of the logarithm, in the 8 bits that the median is taken of


def grid_of(pixels: NDArray[np.uint8], box: NDArray[np.float32]) -> float | None:
    """Height of the strongest line of the mean power spectrum in a box over the median around it, natural logarithm.

    Args:
        pixels: HxWx3 uint8 BGR photo at its own resolution.
        box: (4,) left, top, right, bottom of the analysed area in pixels of the photo; at least 128 pixels are used.

    Returns:
        About 1.5 to 3 for a live photo, 4 and more for a grid that can be seen; None if the photo's shorter side is
        below 128 pixels.
    """
    import cv2

    if min(pixels.shape[:2]) < _SIDE:
        return None
    (top, bottom), (left, right) = (_range(box, axis, pixels.shape[axis]) for axis in (0, 1))
    grey = cv2.cvtColor(pixels[top:bottom, left:right], cv2.COLOR_BGR2GRAY).astype(np.float32)
    # Two means over boxes are nearly a Gaussian of 2.8 pixels, at a third of its cost.
    detail = grey - cv2.blur(cv2.blur(grey, (_BOX, _BOX)), (_BOX, _BOX))
    detail /= np.abs(detail) + _FAINT
    hann, ignored = _tables()
    corners = [(row, column) for row in _starts(bottom - top) for column in _starts(right - left)]
    windows = [detail[row : row + _SIDE, column : column + _SIDE] * hann for row, column in corners]
    logarithm = np.log(_mean_power(windows)[:, :_READ] + 1e-3)
    # OpenCV takes a median over many bins of 8-bit values only.
    steps = np.clip((logarithm - _FLOOR) * _STEPS, 0, 255).astype(np.uint8)
    usual = cv2.medianBlur(steps, _SURROUNDINGS).astype(np.float32) / _STEPS + _FLOOR
    return float(np.where(ignored, 0.0, logarithm - usual)[:, :_HALF].max())


def _mean_power(windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Mean power spectrum of windows, (128, 128) each, frequency zero in the middle.

    Two windows share a complex transform, one as its real part: with the opposite frequency added, the power of the sum
    is that of both.
    """
    import cv2

    blank = np.zeros((_SIDE, _SIDE), np.float32)
    total = np.zeros((_SIDE, _SIDE, 2), np.float32)
    for first, second in itertools.zip_longest(windows[::2], windows[1::2], fillvalue=blank):
        cv2.accumulateSquare(cv2.dft(cv2.merge([first, second])), total)
    power = np.fft.fftshift(total.sum(axis=2))
    opposite = np.roll(power[::-1, ::-1], (1, 1), (0, 1))
    mean: NDArray[np.float32] = (power + opposite) / np.float32(2 * len(windows))
    return mean


def _range(box: NDArray[np.float32], axis: int, size: int) -> tuple[int, int]:
    """First pixel and the one after the last of the box along an axis (0 rows), inside the photo, at least a window."""
    low, high = (int(np.clip(round(float(box[place - axis])), 0, size)) for place in (1, 3))
    if high - low < _SIDE:
        low = int(np.clip((low + high - _SIDE) // 2, 0, size - _SIDE))
        high = low + _SIDE
    return low, high


def _starts(length: int) -> list[int]:
    """Where windows begin along an axis, evenly spread."""
    count = min(_MOST, (length - _SIDE) // _STEP + 1)
    return sorted({int(start) for start in np.linspace(0, length - _SIDE, count)})


@functools.lru_cache(1)
def _tables() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Hann window (128, 128), and the bins of the left part of a centred spectrum that are ignored (128, 70)."""
    window = np.hanning(_SIDE).astype(np.float32)
    row, column = np.mgrid[:_SIDE, :_SIDE] - _SIDE // 2
    frequency = np.hypot(row, column) / _SIDE
    blocks = (row % _BLOCKS == 0) & (column % _BLOCKS == 0)
    result: NDArray[np.float32] = window[:, None] * window[None, :]
    ignored = (frequency <= _LOWEST) | (frequency >= _HIGHEST) | blocks
    return result, ignored[:, :_READ]
