"""The 8x8 blocks of a picture, and the coefficients of their discrete cosine transform."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief import BriefRepr
from facematch_local.imaging.photo import Pixels
from facematch_local.imaging.resampling import averaged

Floats = NDArray[np.float64]
BLOCK: Final = 8
# Largest number of blocks analysed per region, evenly spaced: on the grid, and moved off the grid.
_MOST_BLOCKS: Final = 1000
_MOST_MOVED: Final = 600
# Shifts off the grid in rows and columns: the farthest, and two between.
_OFF_GRID: Final = ((4, 4), (2, 5), (5, 2))
# Coefficients with a sum of row and column up to this are analysed; higher frequencies are mostly quantised to zero.
_DIAGONALS: Final = 6
# Histograms of coefficient sizes have `FINE` bins per unit up to `LARGEST`, and distinguish `_MULTIPLES` multiples.
FINE: Final = 4
LARGEST: Final = 160
# Largest number of multiplications of a matrix product for which OpenBLAS (NumPy's and OpenCV's) uses one thread.
_ONE_THREAD: Final = 2**18 - 1
_Array = TypeVar("_Array", bound=NDArray[Any])


@dataclass(frozen=True, repr=False)
class Coefficients(BriefRepr):
    """Cumulative histograms of the DCT coefficients of a region.

    Attributes:
        on_grid: (K, bins + 1), number of coefficients with an absolute size below each bin, in blocks on the JPEG grid.
        off_grid: the same for blocks moved off the grid.
    """

    on_grid: Floats
    off_grid: Floats


def luminance(pixels: Pixels) -> NDArray[np.float32]:
    """Luminance by ITU-R BT.601: HxW float32, 0 to 255, from HxWx3 uint8 BGR.

    OpenCV rounds the luminance of uint8 input, which removes the trace of fine steps; hence float32 input.
    """
    import cv2

    return np.asarray(cv2.cvtColor(pixels.astype(np.float32), cv2.COLOR_BGR2GRAY), np.float32)


def coefficients(light: NDArray[np.float32], blocks: NDArray[np.bool_]) -> Coefficients:
    """Coefficients of the given blocks, (rows, columns) bool, of a luminance, HxW float32."""
    corners = _spaced(np.argwhere(blocks) * BLOCK, _MOST_BLOCKS)
    return Coefficients(_counted(light, corners), _counted(light, moved(blocks, light.shape)))


def moved(blocks: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Corners (N, 2: row, column) of blocks (rows, columns) moved off the grid that stay inside the picture.

    Blocks in the last row or column may all drop out.
    """
    some = _spaced(np.argwhere(blocks) * BLOCK, _MOST_MOVED)
    moved = np.concatenate([some + np.array(shift) for shift in _OFF_GRID])
    return moved[(moved + BLOCK <= shape).all(axis=1)]


def _spaced(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most `most` of the rows, evenly spaced."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]


def _counted(light: NDArray[np.float32], corners: NDArray[np.int64]) -> Floats:
    """(K, bins + 1): cumulative histogram of coefficient sizes of the blocks with these corners (N, 2: row, column)."""
    sizes, size = np.abs(transformed(light, corners)) * FINE, LARGEST * FINE + 1
    bins = np.minimum(sizes, size - 1).astype(np.int64) + np.arange(sizes.shape[1]) * size
    counts = np.bincount(bins.ravel(), minlength=sizes.shape[1] * size)
    below = np.zeros((sizes.shape[1], size))
    counts.reshape(-1, size)[:, :-1].cumsum(axis=1, out=below[:, 1:])
    return below


def transformed(light: NDArray[np.float32], corners: NDArray[np.int64]) -> NDArray[np.float32]:
    """(N, K): coefficients of the blocks with these corners (N, 2: row, column), which must lie inside the picture."""
    windows = np.lib.stride_tricks.sliding_window_view(light, (BLOCK, BLOCK))
    blocks = windows[corners[:, 0], corners[:, 1]].reshape(len(corners), BLOCK * BLOCK)
    return product(blocks, _waves()).astype(np.float32, copy=False)


def product(one: NDArray[np.floating[Any]], two: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Matrix product in pieces small enough that BLAS uses one thread; other threads keep their CPUs."""
    if len(one) < two.shape[1]:
        return np.asarray(product(two.T, one.T).T)
    # After the transposition above, `two` may be empty; the product then has no rows.
    rows = max(_ONE_THREAD // max(two.size, 1), 1)
    return np.concatenate([one[start : start + rows] @ two for start in range(0, max(len(one), 1), rows)])


def unclipped(part: Pixels, rows: int, columns: int) -> NDArray[np.bool_]:
    """(rows, columns) bool: blocks without black or white pixels; clipping to 0..255 shifts all coefficients."""
    import cv2

    return filled(np.asarray(cv2.inRange(part, (1, 1, 1), (254, 254, 254)), np.uint8), rows, columns)


def filled(mask: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.bool_]:
    """(rows, columns) bool: blocks of a mask, HxW of 0 and 255, in which every pixel is 255."""
    means, _ = averaged(mask[: rows * BLOCK, : columns * BLOCK], BLOCK)
    result: NDArray[np.bool_] = means == 255
    return result


@functools.cache
def places() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column, (K,) each, of the analysed coefficients."""
    y, x = np.mgrid[0:BLOCK, 0:BLOCK]
    chosen = (y + x > 0) & (y + x <= _DIAGONALS)
    return y[chosen], x[chosen]


@functools.cache
def _waves() -> NDArray[np.float32]:
    """(64, K): DCT basis functions of the analysed coefficients, by pixel of a block."""
    k, n = np.mgrid[0:BLOCK, 0:BLOCK]
    turn = np.cos((2 * n + 1) * k * np.pi / (2 * BLOCK)) * np.sqrt(np.where(k == 0, 1, 2) / BLOCK)
    row, column = places()
    waves = turn[row][:, :, None] * turn[column][:, None, :]
    return fixed(waves.reshape(len(row), -1).T.astype(np.float32))


def fixed(values: _Array) -> _Array:
    """Make an array read-only, because it is cached and shared."""
    values.setflags(write=False)
    return values
