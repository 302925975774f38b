"""Did a picture of a document go through JPEG before it was last saved, and what that says of its parts.

Coefficients that were quantised twice show it: some multiples of the last steps occur too often, others too seldom or
never (the double quantisation effect: Lin et al. 2009, "Fast, automatic and fine-grained tampered JPEG image detection
via DCT coefficient analysis"). As Bianchi and Piva 2012 do ("Image forgery localization via block-grained analysis of
JPEG artifacts"), coefficients are asked whether they look quantised twice or once. What either looks like is learned
from the picture itself: cut off the grid of 8x8 blocks its coefficients bear no trace of any compression (Lukas and
Fridrich 2003), and are then quantised as supposed.

An earlier compression is seen only where it was of another quality than the last one, and where the blocks were not
moved since by a crop off the grid, a turn or another size.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief import BriefRepr
from facematch_local.imaging.photo import Pixels
from facematch_local.imaging.resampling import averaged

# Of a large photo a square around the portrait is enough: so many pixels, or so many times the face, that enough of the
# card is left around it.
_LONGEST: Final = 640
_FACES: Final = 2.5
BLOCK: Final = 8
_LEAST_BLOCKS: Final = 12
# Pixels from the photo to which the outline of a document is cut, around a face far outside: OpenCV goes through every
# line of what it fills.
_FARTHEST: Final = 1e5
# Of each region no more blocks are looked at, evenly spaced, and no more of them moved off the grid.
_MOST_BLOCKS: Final = 1000
_MOST_MOVED: Final = 600
# Rows and columns off the grid: as far from it as can be, and two between.
_OFF_GRID: Final = ((4, 4), (2, 5), (5, 2))
# Coefficients of low frequency; the others are mostly quantised to zero.
_DIAGONALS: Final = 6
# What a picture may have been saved with last, and what before: coarser steps leave too little to compare.
_QUALITIES: Final = range(20, 99)
_EARLIER: Final = slice(_QUALITIES.index(50), None)
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
# Coefficients are counted by size, in `_FINE` bins per unit up to `_LARGEST`. So many multiples are told apart.
_FINE: Final = 4
_LARGEST: Final = 160
_MULTIPLES: Final = 15
# Variance of a coefficient by decoding to whole numbers of red, green and blue, some of them clipped.
_ROUNDING: Final = 0.1
# A table is taken for the last one if coefficients lie no farther from its multiples than by rounding and this much;
# 1 is how far they lie if they know nothing of it. In portraits colours are clipped more often. With fewer coefficients
# than these it is not asked.
_FITS_CARD: Final = 0.25
_FITS_PORTRAIT: Final = 0.35
_LEAST_COEFFICIENTS: Final = 150
# Qualities so near share most of their steps: of these only the best is taken.
_NEIGHBOURS: Final = 4
# Decoded and tampered with between the compressions, what lay on the border of two multiples goes to either.
_ROUNDED_BY: Final = (-0.3, 0.3)
# What is taken for quantised twice keeps a share of the other, so that no coefficient alone decides.
_MIXED: Final = 0.05
# The card was a JPEG before if that is more likely by so much (in nats), and by such shares of what it should be.
_LEAST_EVIDENCE: Final = 25.0
_MUCH_EVIDENCE: Final = 500.0
_SHARES: Final = (0.4, 1.6)
# Multiplications of a matrix product that OpenBLAS (NumPy's and OpenCV's) does by one thread, less one.
_ONE_THREAD: Final = 2**18 - 1

_Floats = NDArray[np.float64]
_Array = TypeVar("_Array", bound=NDArray[Any])


@dataclass(frozen=True, repr=False)
class Coefficients(BriefRepr):
    """Coefficients of a region, counted by size.

    Attributes:
        on_grid: (K, bins + 1), of how many the absolute size lies below a bin, in the blocks that JPEG made.
        off_grid: the same of blocks cut elsewhere.
    """

    on_grid: _Floats
    off_grid: _Floats


@dataclass(frozen=True, repr=False)
class Recompression(BriefRepr):
    """A document in a picture, and the compressions it shows.

    Attributes:
        light: HxW float32, the luminance of the part that was looked at.
        inner: (rows, columns) bool, the 8x8 blocks of the portrait's face.
        outer: the same of the document well away from it.
        portrait: coefficients of the former.
        card: coefficients of the latter.
        last: (K,) steps of the last compression, ones where none shows.
        earlier: (K,) steps of the one before; None where the document shows none.
    """

    light: NDArray[np.float32]
    inner: NDArray[np.bool_]
    outer: NDArray[np.bool_]
    portrait: Coefficients
    card: Coefficients
    last: _Floats
    earlier: _Floats | None


@dataclass(frozen=True, repr=False)
class Evidence(BriefRepr):
    """Whether coefficients were quantised once or twice, as log likelihood ratios in nats (positive for twice).

    Attributes:
        found: of what was found, summed over coefficients; any shape.
        if_twice: what is expected of coefficients quantised twice.
        if_once: what is expected of coefficients quantised once.
    """

    found: _Floats
    if_twice: _Floats
    if_once: _Floats

    def surely_once(self, doubt: float) -> _Floats:
        """How surely once and not twice, 0 to 1; with `doubt` nats to tell them by no more than 0.5."""
        told = np.maximum(self.if_twice - self.if_once, 1e-6)
        result: _Floats = np.clip((self.if_twice - self.found) / told, 0, 1) * told / (told + doubt)
        return result


def find_recompression(
    pixels: Pixels, corners: NDArray[np.float32], face_box: NDArray[np.float32]
) -> Recompression | None:
    """The compressions of a document with these corners, (4, 2), in an HxWx3 uint8 BGR photo.

    None where portrait or rest has too few blocks to compare: of all, of those without black or white pixels, or of
    those that lie in the picture when moved off the grid.
    """
    import cv2

    part, corners, box = _part(pixels, corners, face_box)
    height, width = part.shape[:2]
    rows, columns = height // BLOCK, width // BLOCK
    if rows < 4 or columns < 4:
        return None
    on_card = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(on_card, np.clip(np.round(corners), -_FARTHEST, _FARTHEST).astype(np.int32), (255,))
    inner, outer = _regions(on_card, box, rows, columns)
    whole = _unclipped(part, rows, columns)
    inner, outer = inner & whole, outer & whole
    if any(min(region.sum(), len(_moved(region, (height, width)))) < _LEAST_BLOCKS for region in (inner, outer)):
        return None
    light = luminance(part)
    portrait, card = coefficients(light, inner), coefficients(light, outer)
    possible = last_steps(portrait.on_grid, card.on_grid)
    found = [(*clear, last) for last in possible if (clear := _earlier_steps(card, last)) is not None]
    if not found:
        return Recompression(light, inner, outer, portrait, card, possible[0], None)
    _, earlier, last = max(found, key=lambda each: each[0])
    return Recompression(light, inner, outer, portrait, card, last, earlier)


def evidence_of_portrait(seen: Recompression, earlier: _Floats) -> Evidence:
    """Whether the portrait was quantised by `earlier` (K,) before the last steps; all of shape ()."""
    ratio, twice, once = _ratios(seen.portrait, earlier, seen.last)
    counts = _multiples(seen.portrait.on_grid, seen.last)
    number = counts.sum(axis=1, keepdims=True)
    return Evidence(*(np.asarray((x * ratio).sum()) for x in (counts, number * twice, number * once)))


def evidence_of_blocks(seen: Recompression, earlier: _Floats) -> Evidence:
    """Whether each block of `seen.outer` was quantised by `earlier` (K,) before; (rows, columns), 0 for the others."""
    ratio, twice, once = _ratios(seen.card, earlier, seen.last)
    sizes = np.abs(_transformed(seen.light, np.argwhere(seen.outer) * BLOCK))
    multiples = np.minimum(np.rint(sizes / seen.last.astype(np.float32)), _MULTIPLES + 1).astype(np.intp)
    # Multiples of 0 and those that are not told apart say nothing.
    says = np.pad(ratio, ((0, 0), (1, 1)))
    found = says.take(multiples + np.arange(len(says)) * says.shape[1]).sum(axis=1)
    known = ((multiples > 0) & (multiples <= _MULTIPLES)).astype(np.float64)
    expected = _product(known, np.stack([(share * ratio).sum(axis=1) for share in (twice, once)], axis=1))
    maps = np.zeros((3, *seen.outer.shape))
    maps[:, seen.outer] = found, *expected.T
    return Evidence(*maps)


def _ratios(region: Coefficients, earlier: _Floats, last: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Log ratio of how often multiples of `last` (K,) occur with `earlier` (..., K) before and without; both shares.

    The first two are (..., K, multiples), the share of what was quantised once (K, multiples).
    """
    once = _shares(_multiples(region.off_grid, last))
    twice = _twice(region, earlier, last)
    # A step that did not change leaves no trace.
    return np.log(twice / once) * (earlier != last)[..., None], twice, once


def _earlier_steps(card: Coefficients, last: _Floats) -> tuple[float, _Floats] | None:
    """Evidence (nats) of a compression before that with the steps `last` (K,), and its steps; None if not clear."""
    steps = _steps()[_EARLIER]
    ratio, twice, _ = _ratios(card, steps, last)
    seen = _multiples(card.on_grid, last)
    evidence = (seen * ratio).sum(axis=(1, 2))
    expected = (seen.sum(axis=1, keepdims=True) * twice * ratio).sum(axis=(1, 2))
    # Much more than expected is no sign either, but one of a picture unlike what is supposed.
    low, high = (share * expected for share in _SHARES)
    # Blocks that were edited since speak against it more loudly than as many others speak for it.
    low = np.where(evidence >= _MUCH_EVIDENCE, low / 3, low)
    clear = (evidence >= _LEAST_EVIDENCE) & (evidence >= low) & (evidence <= high)
    if not clear.any():
        return None
    best = int(np.where(clear, evidence, -np.inf).argmax())
    return float(evidence[best]), steps[best]


def last_steps(portrait: _Floats, card: _Floats) -> list[_Floats]:
    """Steps (K,) that may be those of the last compression, best first, by both counts (K, bins + 1) on the grid.

    What the card alone shows came before. What both show may have come before as well, where a finer compression
    followed, so there may be several; ones where there is no sign of any.
    """
    of_card, of_portrait = _off_multiples(card), _off_multiples(portrait)
    # A portrait too plain to say follows the card.
    of_portrait = np.where(np.isnan(of_portrait), of_card, of_portrait)
    # Comparisons with what is not known are false.
    fits = (of_card < _FITS_CARD) & (of_portrait < _FITS_PORTRAIT)
    found: list[int] = []
    for at in np.argsort(np.where(fits, of_card + of_portrait, np.inf))[: fits.sum()]:
        if all(abs(at - other) > _NEIGHBOURS for other in found):
            found.append(int(at))
    return [_steps()[at] for at in found] or [np.ones(len(card))]


def _off_multiples(counts: _Floats) -> _Floats:
    """By quality, (Q,): how far coefficients, counted (K, bins + 1), lie from multiples, less the rounding.

    About 0 where they are such multiples, 1 where they lie anyhow, NaN where there are too few to say.
    """
    steps = _steps()
    at = (np.arange(len(counts)), steps.astype(int))
    # A step of 1 is met by anything.
    off = _product(np.diff(counts).astype(np.float32), _distances())[at] * (steps > 1)
    counted = np.stack([steps / 2, np.full_like(steps, _LARGEST)], axis=-1)
    number = _between(counts, counted)[..., 0] * (steps > 1)
    total = number.sum(axis=1)
    excess = (off - np.minimum(12 * _ROUNDING / steps**2, 1) * number).sum(axis=1)
    result: _Floats = np.where(total >= _LEAST_COEFFICIENTS, excess / np.maximum(total, 1), np.nan)
    return result


def _twice(region: Coefficients, earlier: _Floats, last: _Floats) -> _Floats:
    """Shares (..., K, multiples) of the multiples of `last` (K,) after quantisation by `earlier` (..., K) before."""
    steps = earlier[..., None]
    moved = [(np.ceil((_borders(last) - by) / steps) - 0.5) * steps for by in _ROUNDED_BY]
    counts = np.sum([_between(region.off_grid, each) for each in moved], axis=0)
    return (1 - _MIXED) * _shares(counts) + _MIXED * _shares(_multiples(region.off_grid, last))


def _multiples(counts: _Floats, steps: _Floats) -> _Floats:
    """(K, multiples): how many coefficients, counted (K, bins + 1), are nearest to 1, 2, ... times the steps (K,)."""
    return _between(counts, _borders(steps))


def _borders(steps: _Floats) -> _Floats:
    """(K, multiples + 1): sizes between which coefficients are nearest to 1, 2, ... times the steps (K,)."""
    return (np.arange(_MULTIPLES + 1) + 0.5) * steps[:, None]


def _between(counts: _Floats, borders: _Floats) -> _Floats:
    """(..., K, n): how many, counted (K, bins + 1), lie between sizes (..., K, n + 1)."""
    at = np.minimum(borders * _FINE, counts.shape[1] - 1).astype(np.intp)
    at += (np.arange(len(counts)) * counts.shape[1])[:, None]
    result: _Floats = np.diff(counts.take(at), axis=-1)
    return result


def _shares(counts: _Floats) -> _Floats:
    """Counts (..., multiples) as shares of 1, none of them zero."""
    some = counts + 0.3 * np.exp(-np.arange(_MULTIPLES) / 3)
    result: _Floats = some / some.sum(axis=-1, keepdims=True)
    return result


def luminance(pixels: Pixels) -> NDArray[np.float32]:
    """HxW float32, 0 to 255, of HxWx3 uint8 BGR by ITU-R BT.601. OpenCV's is rounded, which wipes out fine steps."""
    import cv2

    return np.asarray(cv2.cvtColor(pixels.astype(np.float32), cv2.COLOR_BGR2GRAY), np.float32)


def coefficients(light: NDArray[np.float32], blocks: NDArray[np.bool_]) -> Coefficients:
    """Coefficients of these blocks (rows, columns) of a luminance, HxW float32."""
    corners = _spaced(np.argwhere(blocks) * BLOCK, _MOST_BLOCKS)
    return Coefficients(_counted(light, corners), _counted(light, _moved(blocks, light.shape)))


def _moved(blocks: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Corners (N, 2: row, column) of blocks (rows, columns) moved off the grid, of those that stay in the picture.

    Few or none where the blocks lie in the last row or column.
    """
    some = _spaced(np.argwhere(blocks) * BLOCK, _MOST_MOVED)
    moved = np.concatenate([some + np.array(shift) for shift in _OFF_GRID])
    return moved[(moved + BLOCK <= shape).all(axis=1)]


def _spaced(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Of the rows at most so many, evenly spaced."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]


def _counted(light: NDArray[np.float32], corners: NDArray[np.int64]) -> _Floats:
    """(K, bins + 1): how many coefficients are of a size, of the blocks with these corners (N, 2: row, column)."""
    sizes, size = np.abs(_transformed(light, corners)) * _FINE, _LARGEST * _FINE + 1
    bins = np.minimum(sizes, size - 1).astype(np.int64) + np.arange(sizes.shape[1]) * size
    counts = np.bincount(bins.ravel(), minlength=sizes.shape[1] * size)
    below = np.zeros((sizes.shape[1], size))
    counts.reshape(-1, size)[:, :-1].cumsum(axis=1, out=below[:, 1:])
    return below


def _transformed(light: NDArray[np.float32], corners: NDArray[np.int64]) -> NDArray[np.float32]:
    """(N, K): coefficients of the blocks with these corners (N, 2: row, column), which must lie in the picture."""
    windows = np.lib.stride_tricks.sliding_window_view(light, (BLOCK, BLOCK))
    blocks = windows[corners[:, 0], corners[:, 1]].reshape(len(corners), BLOCK * BLOCK)
    return _product(blocks, _waves()).astype(np.float32, copy=False)


def _product(one: NDArray[np.floating[Any]], two: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """The product of two matrices, in pieces so small that BLAS takes one thread: more would take others' CPUs."""
    if len(one) < two.shape[1]:
        return np.asarray(_product(two.T, one.T).T)
    # `two` is empty where `one` was, turned over: a product without rows.
    rows = max(_ONE_THREAD // max(two.size, 1), 1)
    return np.concatenate([one[start : start + rows] @ two for start in range(0, max(len(one), 1), rows)])


def _unclipped(part: Pixels, rows: int, columns: int) -> NDArray[np.bool_]:
    """(rows, columns): blocks without black or white pixels. Decoding clips to 0..255, which moves all coefficients."""
    import cv2

    return _filled(np.asarray(cv2.inRange(part, (1, 1, 1), (254, 254, 254)), np.uint8), rows, columns)


def _filled(mask: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.bool_]:
    """(rows, columns): blocks of a mask, HxW of 0 and 255, that are 255 all over."""
    means, _ = averaged(mask[: rows * BLOCK, : columns * BLOCK], BLOCK)
    result: NDArray[np.bool_] = means == 255
    return result


@functools.cache
def _places() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column, (K,) each, of the coefficients that are looked at."""
    y, x = np.mgrid[0:BLOCK, 0:BLOCK]
    chosen = (y + x > 0) & (y + x <= _DIAGONALS)
    return y[chosen], x[chosen]


@functools.cache
def _steps() -> _Floats:
    """(qualities, K): the quantisation steps of the coefficients that are looked at, the coarsest first."""
    quality = np.array(_QUALITIES, np.float64)
    scale = np.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    at_50 = np.array(_STEPS_50, np.float64)[_places()]
    return _fixed(np.clip(np.floor((scale[:, None] * at_50 + 50) / 100), 1, 255))


@functools.cache
def _distances() -> NDArray[np.float32]:
    """(bins, steps): by size of a coefficient and by step, the index, the square of how far it is from a multiple.

    In units of what coefficients have on average that know nothing of the step, 1/12 of the step squared; 0 for what
    would become zero, as that is a multiple of any step.
    """
    size = (np.arange(_LARGEST * _FINE) + 0.5) / _FINE
    multiples = size[:, None] / np.maximum(np.arange(int(_steps().max()) + 1), 1)
    return _fixed((12 * (multiples - np.rint(multiples)) ** 2 * (multiples > 0.5)).astype(np.float32))


@functools.cache
def _waves() -> NDArray[np.float32]:
    """(64, K): what the pixels of a block are multiplied with for the coefficients that are looked at."""
    k, n = np.mgrid[0:BLOCK, 0:BLOCK]
    turn = np.cos((2 * n + 1) * k * np.pi / (2 * BLOCK)) * np.sqrt(np.where(k == 0, 1, 2) / BLOCK)
    row, column = _places()
    waves = turn[row][:, :, None] * turn[column][:, None, :]
    return _fixed(waves.reshape(len(row), -1).T.astype(np.float32))


def _fixed(values: _Array) -> _Array:
    """Read-only: it is kept and shared."""
    values.setflags(write=False)
    return values


def _part(
    pixels: Pixels, corners: NDArray[np.float32], face_box: NDArray[np.float32]
) -> tuple[Pixels, NDArray[np.float32], NDArray[np.float32]]:
    """The document's surroundings, at the photo's own resolution where affordable, on its own JPEG grid."""
    height, width = pixels.shape[:2]
    low = np.clip(np.floor(corners.min(axis=0)), 0, (width - 1, height - 1)).astype(int) // BLOCK * BLOCK
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, low + 1, (width, height)).astype(int)
    middle = (face_box[:2] + face_box[2:]) / 2
    # Making all of it smaller instead would wipe out every trace.
    side = max(_LONGEST, int(_FACES * float((face_box[2:] - face_box[:2]).max())))
    near = np.maximum((middle - side / 2).astype(int) // BLOCK * BLOCK, low)
    low, high = near, np.minimum(high, near + side)
    shift = low.astype(np.float32)
    part = pixels[low[1] : high[1], low[0] : high[0]]
    return part, corners - shift, face_box - np.tile(shift, 2)


def _regions(
    on_card: NDArray[np.uint8], box: NDArray[np.float32], rows: int, columns: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Blocks of the face, and blocks of the card well away from it; `on_card` HxW, 255 there and 0 elsewhere."""
    y, x = (np.mgrid[0:rows, 0:columns] + 0.5) * BLOCK
    left, top, right, bottom = (float(v) for v in box)
    cx, cy, w, h = (left + right) / 2, (top + bottom) / 2, max(right - left, 1.0), max(bottom - top, 1.0)
    inner = (np.abs(x - cx) < 0.5 * w) & (np.abs(y - cy) < 0.5 * h)
    far = (np.abs(x - cx) > 1.15 * w) | (np.abs(y - cy) > 1.15 * h)
    card = _filled(on_card, rows, columns)
    return inner & card, far & card
