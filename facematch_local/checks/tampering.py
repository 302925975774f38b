"""Was the portrait put into the picture of the document later (code 3).

A card that was photographed and saved, then tampered with and saved again, went through JPEG twice where it is
untouched and once where something new was put in. Of the first time a *ghost* stays (Farid 2009, "Exposing digital
forgeries from JPEG ghosts"): the DCT coefficients of the untouched blocks still lie near multiples of the first
quantisation's steps, those of the new portrait do not. It stays as long as the second quantisation was the finer one
and the blocks were not moved; else there is nothing to see, and a picture never compressed before shows nothing either.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.base import NO_FACE, Measure, Subject
from facematch_local.faces import Face
from facematch_local.heads import Pixels

_LONGEST: Final = 640
_BLOCK: Final = 8
_LEAST_BLOCKS: Final = 12
# Of each region no more blocks are looked at, evenly spaced.
_MOST_BLOCKS: Final = 300
# With fewer coefficients that say anything, a quality is passed over.
_LEAST_COEFFICIENTS: Final = 60
# Coefficients of low frequency; the others are mostly quantised to zero.
_DIAGONALS: Final = 5
_QUALITIES: Final = range(40, 99)
# Luminance steps at quality 50 (ITU-T T.81, table K.1), and the rule by which libjpeg makes those of other qualities.
_STEPS_50: Final = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def portrait_differs(subject: Subject) -> Measure:
    """How much clearer the ghost of an earlier JPEG compression is around the portrait than in it, 0 to 1.

    Raised by a portrait put into a compressed picture of the card (pasted or blended, wherever it came from).
    Tampering with the card itself, and edited text, leave no such trace.
    """
    if subject.face is None:
        return Measure.not_assessed(NO_FACE)
    found = ghost(subject.photo.pixels, subject.document_corners, subject.face)
    return Measure.not_assessed("portrait or card has too few pixels") if found is None else Measure(found)


def ghost(pixels: Pixels, corners: NDArray[np.float32], face: Face) -> float | None:
    """The measure in an HxWx3 uint8 BGR photo of a document with these corners, (4, 2) in its pixels.

    None where portrait or rest has too few pixels.
    """
    import cv2

    part, corners, box = _part(pixels, corners, face)
    height, width = part.shape[:2]
    rows, columns = height // _BLOCK, width // _BLOCK
    if rows < 4 or columns < 4:
        return None
    on_card = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(on_card, np.round(corners).astype(np.int32), (1,))
    inner, outer = _regions(on_card, box, rows, columns)
    whole = _unclipped(part, rows, columns)
    inner, outer = inner & whole, outer & whole
    if inner.sum() < _LEAST_BLOCKS or outer.sum() < _LEAST_BLOCKS:
        return None
    (inside, inside_count), (around, around_count) = (_distances(_coefficients(part, r)) for r in (inner, outer))
    known = (inside_count >= _LEAST_COEFFICIENTS) & (around_count >= _LEAST_COEFFICIENTS)
    # 1 is what coefficients have that know nothing of the steps; more than that says no more.
    clearer = np.where(known, np.minimum(inside, 1.0) - around, 0.0)
    return max(float(clearer.max()), 0.0)


def _unclipped(part: Pixels, rows: int, columns: int) -> NDArray[np.bool_]:
    """(rows, columns): blocks without black or white pixels. Decoding clips to 0..255, which moves all coefficients."""
    import cv2

    inside = cv2.inRange(part[: rows * _BLOCK, : columns * _BLOCK], (1, 1, 1), (254, 254, 254))
    # The mean of a block is 255 only if all of it is.
    result: NDArray[np.bool_] = np.asarray(cv2.resize(inside, (columns, rows), interpolation=cv2.INTER_AREA)) == 255
    return result


def _coefficients(part: Pixels, region: NDArray[np.bool_]) -> NDArray[np.float32]:
    """DCT coefficients (blocks, K) of the luminance, of up to `_MOST_BLOCKS` blocks of the region."""
    import cv2

    chosen = np.flatnonzero(region)
    if len(chosen) > _MOST_BLOCKS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, _MOST_BLOCKS).astype(int)]
    row, column = np.divmod(chosen, region.shape[1])
    offsets = np.arange(_BLOCK)
    y = (row * _BLOCK)[:, None, None] + offsets[None, :, None]
    x = (column * _BLOCK)[:, None, None] + offsets[None, None, :]
    grey = cv2.cvtColor(part[y, x].reshape(-1, _BLOCK, 3), cv2.COLOR_BGR2GRAY).reshape(-1, _BLOCK, _BLOCK)
    turn = _dct()
    transformed = turn @ grey.astype(np.float32) @ turn.T
    result: NDArray[np.float32] = transformed[:, *_places()]
    return result


def _distances(coefficients: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How far coefficients (blocks, K) lie from multiples of each quality's steps.

    Returns:
        By quality, (qualities,): the mean square distance to the nearest multiple, about 1 where they lie anyhow; and
        of how many coefficients.
    """
    multiples = coefficients[:, None, :] * (1 / _steps())
    # Those that would be quantised to zero lie near a multiple of any step.
    counts = np.abs(multiples) > 0.5
    # 1/12 is the mean square of what is evenly spread between -0.5 and 0.5.
    square = (multiples - np.rint(multiples)) ** 2 * 12
    number = counts.sum(axis=(0, 2))
    return (square * counts).sum(axis=(0, 2)) / np.maximum(number, 1), number


@functools.cache
def _places() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column, (K,) each, of the coefficients that are looked at."""
    y, x = np.mgrid[0:_BLOCK, 0:_BLOCK]
    chosen = (y + x > 0) & (y + x <= _DIAGONALS)
    return y[chosen], x[chosen]


@functools.cache
def _steps() -> NDArray[np.float32]:
    """(qualities, K): the quantisation steps of the coefficients that are looked at."""
    quality = np.array(_QUALITIES, np.float64)
    scale = np.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    at_50 = np.array(_STEPS_50, np.float64)[_places()]
    return _fixed(np.clip(np.floor((scale[:, None] * at_50 + 50) / 100), 1, 255))


@functools.cache
def _dct() -> NDArray[np.float32]:
    """The 8x8 matrix of JPEG's cosine transform."""
    k, n = np.mgrid[0:_BLOCK, 0:_BLOCK]
    matrix = np.cos((2 * n + 1) * k * np.pi / (2 * _BLOCK)) * np.sqrt(np.where(k == 0, 1, 2) / _BLOCK)
    return _fixed(matrix)


def _fixed(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """As float32, and read-only: it is kept and shared."""
    result: NDArray[np.float32] = values.astype(np.float32)
    result.setflags(write=False)
    return result


def _part(
    pixels: Pixels, corners: NDArray[np.float32], face: Face
) -> tuple[Pixels, NDArray[np.float32], NDArray[np.float32]]:
    """The document's surroundings, at the photo's own resolution where affordable, on its own JPEG grid."""
    height, width = pixels.shape[:2]
    low = np.clip(np.floor(corners.min(axis=0)), 0, (width - 1, height - 1)).astype(int) // _BLOCK * _BLOCK
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, low + 1, (width, height)).astype(int)
    middle = (face.box[:2] + face.box[2:]) / 2
    # Of a large card the part around the portrait is enough; making it smaller would wipe out every trace.
    near = np.maximum((middle - _LONGEST / 2).astype(int) // _BLOCK * _BLOCK, low)
    low, high = near, np.minimum(high, near + _LONGEST)
    shift = low.astype(np.float32)
    part = pixels[low[1] : high[1], low[0] : high[0]]
    return part, corners - shift, face.box - np.tile(shift, 2)


def _regions(
    on_card: NDArray[np.uint8], box: NDArray[np.float32], rows: int, columns: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Blocks of the face, and blocks of the card well away from it."""
    y, x = (np.mgrid[0:rows, 0:columns] + 0.5) * _BLOCK
    left, top, right, bottom = (float(v) for v in box)
    cx, cy, w, h = (left + right) / 2, (top + bottom) / 2, max(right - left, 1.0), max(bottom - top, 1.0)
    inner = (np.abs(x - cx) < 0.5 * w) & (np.abs(y - cy) < 0.5 * h)
    far = (np.abs(x - cx) > 1.15 * w) | (np.abs(y - cy) > 1.15 * h)
    card = on_card[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK).min(axis=(1, 3)) > 0
    return inner & card, far & card
