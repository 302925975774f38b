"""The 8x8 blocks of a picture, and the coefficients of their discrete cosine transform."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief_repr import BriefRepr
from facematch_local.imaging.photo import Pixels

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
# Eight values of a mask, compared as one number: those of a block in one row.
_ALL_TRUE: Final = np.uint64(0x0101010101010101)
_STRIP: Final = 32  # rows of pixels
_Array = TypeVar("_Array", bound=NDArray[Any])
_Float = TypeVar("_Float", np.float32, np.float64)


@dataclass(frozen=True, repr=False)
class Coefficients(BriefRepr):
    """Cumulative histograms of the DCT coefficients of a region.

    Attributes:
        on_grid: (K, bins + 1), number of coefficients with an absolute size below each bin, in blocks on the JPEG grid.
        off_grid: the same for blocks moved off the grid.
    """

    on_grid: Floats
    off_grid: Floats


class Corners(NamedTuple):
    """Corners (N, 2: row, column) of the analysed blocks of a region."""

    on_grid: NDArray[np.int64]
    off_grid: NDArray[np.int64]


def luminance(pixels: Pixels) -> NDArray[np.float32]:
    """Luminance by ITU-R BT.601: HxW float32, 0 to 255, from HxWx3 uint8 BGR.

    OpenCV rounds the luminance of uint8 input, which removes the trace of fine steps; hence float32 input.
    """
    import cv2

    light = np.empty(pixels.shape[:2], np.float32)
    # A strip stays in the processor's cache.
    for top in range(0, len(pixels), _STRIP):
        strip = pixels[top : top + _STRIP].astype(np.float32)
        cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY, dst=light[top : top + _STRIP])
    return light


def coefficients(light: NDArray[np.float32], corners: Corners) -> Coefficients:
    """Coefficients of the blocks of a region of a luminance, HxW float32; the blocks must lie inside it."""
    return Coefficients(_counted(light, corners.on_grid), _counted(light, corners.off_grid))


def corners_of(blocks: NDArray[np.bool_], shape: tuple[int, ...]) -> Corners:
    """Corners of some of the blocks (rows, columns) of a region, and of blocks moved off the grid.

    Moved blocks that leave the picture of this shape are left out: all of them, if the region lies in the last row or
    column.
    """
    corners = np.argwhere(blocks) * BLOCK
    some = _spaced(corners, _MOST_MOVED)
    moved = np.concatenate([some + np.array(shift) for shift in _OFF_GRID])
    within = (moved[:, 0] <= shape[0] - BLOCK) & (moved[:, 1] <= shape[1] - BLOCK)
    return Corners(_spaced(corners, _MOST_BLOCKS), moved[within])


def _spaced(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most `most` of the rows, evenly spaced."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]


def _counted(light: NDArray[np.float32], corners: NDArray[np.int64]) -> Floats:
    """(K, bins + 1): cumulative histogram of coefficient sizes of the blocks with these corners (N, 2: row, column)."""
    sizes, size = transformed(light, corners), LARGEST * FINE + 1
    np.abs(sizes, out=sizes)
    sizes *= FINE
    np.minimum(sizes, size - 1, out=sizes)
    bins = sizes.astype(np.intp)
    bins += np.arange(sizes.shape[1]) * size
    counts = np.bincount(bins.ravel(), minlength=sizes.shape[1] * size)
    below = np.zeros((sizes.shape[1], size))
    counts.reshape(-1, size)[:, :-1].cumsum(axis=1, out=below[:, 1:])
    return below


def transformed(light: NDArray[np.float32], corners: NDArray[np.int64]) -> NDArray[np.float32]:
    """(N, K): coefficients of the blocks with these corners (N, 2: row, column), which must lie inside the picture."""
    windows = np.lib.stride_tricks.sliding_window_view(light, (BLOCK, BLOCK))
    blocks = windows[corners[:, 0], corners[:, 1]].reshape(len(corners), BLOCK * BLOCK)
    return product(blocks, _waves())


def product(one: NDArray[_Float], two: NDArray[_Float]) -> NDArray[_Float]:
    """Matrix product in pieces small enough that BLAS uses one thread; other threads keep their CPUs."""
    if len(one) < two.shape[1]:
        return np.ascontiguousarray(product(two.T, one.T).T)
    # After the transposition above, `two` may be empty; the product then has no rows.
    rows = max(_ONE_THREAD // max(two.size, 1), 1)
    pieces = len(one) // rows
    whole, result = pieces * rows, np.empty((len(one), two.shape[1]), one.dtype)
    result_pieces = result[:whole].reshape(pieces, rows, two.shape[1])
    np.matmul(one[:whole].reshape(pieces, rows, one.shape[1]), two, out=result_pieces)
    np.matmul(one[whole:], two, out=result[whole:])
    return result


def unclipped(part: Pixels, rows: int, columns: int) -> NDArray[np.bool_]:
    """(rows, columns) bool: blocks without black or white pixels; clipping to 0..255 shifts all coefficients."""
    # 255 + 1 is 0 in 8 bits.
    inside = part[: rows * BLOCK, : columns * BLOCK] + np.uint8(1) > 1
    pixels = inside.reshape(rows * BLOCK, -1).view(np.uint64) == _ALL_TRUE
    three = pixels.reshape(rows * BLOCK, columns, 3)
    return _all_rows(three[..., 0] & three[..., 1] & three[..., 2])


def filled(mask: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.bool_]:
    """(rows, columns) bool: blocks of a mask, HxW of 0 and 255, in which every pixel is 255."""
    return _all_rows((mask[: rows * BLOCK, : columns * BLOCK] > 0).view(np.uint64) == _ALL_TRUE)


def _all_rows(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(rows, columns) bool: whether a mask (rows * 8, columns) is true in all 8 rows of a block."""
    return np.asarray(mask.reshape(-1, BLOCK, mask.shape[1]).all(axis=1))


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
