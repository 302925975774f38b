"""Detection of double JPEG compression in a picture of a document, by region and by block.

Coefficients that were quantised twice show a periodic histogram: some multiples of the last steps occur too often,
others too seldom or never (the double quantisation effect: Lin et al. 2009, "Fast, automatic and fine-grained tampered
JPEG image detection via DCT coefficient analysis"). As in Bianchi and Piva 2012 ("Image forgery localization via
block-grained analysis of JPEG artifacts"), a likelihood ratio compares quantisation twice with quantisation once. Both
distributions are estimated from the picture itself: blocks cut off the 8x8 grid have coefficients without traces of
compression (Lukas and Fridrich 2003), which are then quantised by the assumed steps.

The method detects an earlier compression only if its quality differs from that of the last one, and if the blocks kept
their position: a crop off the grid, a rotation or a change of size between the compressions removes the trace.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief_repr import BriefRepr
from facematch_local.imaging.dct_blocks import (
    BLOCK,
    FINE,
    LARGEST,
    Coefficients,
    Floats,
    coefficients,
    corners_of,
    filled,
    fixed,
    luminance,
    product,
    transformed,
    unclipped,
)
from facematch_local.imaging.jpeg_tables import QUALITIES, quantisation_steps
from facematch_local.imaging.photo import Pixels

# Of a large photo only a square around the portrait is analysed. Its side is the larger of this number of pixels and
# this multiple of the face box, so that it contains enough of the card.
_LONGEST: Final = 640
_FACES: Final = 2.5
_LEAST_BLOCKS: Final = 12
# Distance in pixels at which the outline of a document is clipped. A face far outside the photo gives a distant
# outline, and OpenCV visits every row of a polygon that it fills.
_FARTHEST: Final = 1e5
_EARLIER: Final = slice(QUALITIES.index(50), None)
_MULTIPLES: Final = 15
# Variance that a coefficient gains from decoding to whole numbers of red, green and blue, some of them clipped.
_ROUNDING: Final = 0.1
# Largest distance of coefficients from multiples of a table's steps, beyond rounding, at which the table is accepted as
# the last one; unrelated coefficients have a distance of 1. The limit for portraits is higher because their colours are
# clipped more often. `_LEAST_COEFFICIENTS` is the smallest number of coefficients for this test.
_FITS_CARD: Final = 0.25
_FITS_PORTRAIT: Final = 0.35
_LEAST_COEFFICIENTS: Final = 150
# Qualities within this distance share most of their steps; only the best of them is kept.
_NEIGHBOURS: Final = 4
# Rounding between the compressions moves coefficients at the border of two multiples to either side.
_ROUNDED_BY: Final = (-0.3, 0.3)
# Share of the once-quantised distribution mixed into the twice-quantised one, so that a single coefficient cannot
# decide.
_MIXED: Final = 0.05
# The card counts as compressed before if the evidence (in nats) exceeds this and lies between these shares of the
# expected evidence. `_MUCH_EVIDENCE` is the evidence from which the lower share is relaxed.
_LEAST_EVIDENCE: Final = 25.0
_MUCH_EVIDENCE: Final = 500.0
_SHARES: Final = (0.4, 1.6)


_Singles = NDArray[np.float32]


@dataclass(frozen=True, repr=False)
class Recompression(BriefRepr):
    """The compressions that a document in a picture shows.

    Attributes:
        light: HxW float32, 0 to 255, luminance of the analysed part.
        inner: (rows, columns) bool, the 8x8 blocks of the portrait's face.
        outer: (rows, columns) bool, the blocks of the document away from the face.
        portrait: coefficients of `inner`.
        card: coefficients of `outer`.
        last: (K,) quantisation steps of the last compression; ones if no compression is visible.
        earlier: (K,) quantisation steps of the compression before it; None if the document shows none.
    """

    light: NDArray[np.float32]
    inner: NDArray[np.bool_]
    outer: NDArray[np.bool_]
    portrait: Coefficients
    card: Coefficients
    last: Floats
    earlier: Floats | None


@dataclass(frozen=True, repr=False)
class Evidence(BriefRepr):
    """Whether coefficients were quantised once or twice, as log likelihood ratios in nats (positive for twice).

    Attributes:
        found: measured ratio, summed over coefficients; any shape.
        if_twice: expected ratio for coefficients quantised twice; shape of `found`.
        if_once: expected ratio for coefficients quantised once; shape of `found`.
    """

    found: Floats
    if_twice: Floats
    if_once: Floats

    def surely_once(self, doubt: float) -> Floats:
        """Confidence, 0 to 1, that the coefficients were quantised once; shape of `found`.

        `doubt`, in nats, is the difference between the two expected ratios at which the result is at most 0.5.
        """
        gap = np.maximum(self.if_twice - self.if_once, 1e-6)
        result: Floats = np.clip((self.if_twice - self.found) / gap, 0, 1) * gap / (gap + doubt)
        return result


def find_recompression(
    pixels: Pixels, corners: NDArray[np.float32], face_box: NDArray[np.float32]
) -> Recompression | None:
    """Find the JPEG compressions of a document.

    Args:
        pixels: HxWx3 uint8 BGR photo at its own resolution, on its own JPEG grid.
        corners: (4, 2) corners of the document in pixels of the photo.
        face_box: (4,) left, top, right, bottom of the portrait's face.

    Returns:
        None if the portrait or the rest of the card has too few usable blocks: blocks without black or white pixels,
        and blocks that stay inside the picture when moved off the grid.
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
    whole = unclipped(part, rows, columns)
    inner, outer = inner & whole, outer & whole
    regions = [corners_of(region, (height, width)) for region in (inner, outer)]
    if any(min(map(len, corners)) < _LEAST_BLOCKS for corners in regions):
        return None
    light = luminance(part)
    portrait, card = (coefficients(light, corners) for corners in regions)
    possible = last_steps(portrait.on_grid, card.on_grid)
    found = [(*clear, last) for last in possible if (clear := _earlier_steps(card, last)) is not None]
    if not found:
        return Recompression(light, inner, outer, portrait, card, possible[0], None)
    _, earlier, last = max(found, key=lambda each: each[0])
    return Recompression(light, inner, outer, portrait, card, last, earlier)


def evidence_of_portrait(seen: Recompression, earlier: Floats) -> Evidence:
    """Evidence that the portrait was quantised by `earlier` (K,) before the last steps; arrays of shape ()."""
    ratio, twice, once = _ratios(seen.portrait, earlier, seen.last)
    counts = _multiples(seen.portrait.on_grid, seen.last)
    number = counts.sum(axis=1, keepdims=True)
    return Evidence(*(np.asarray((x * ratio).sum()) for x in (counts, number * twice, number * once)))


def evidence_of_blocks(seen: Recompression, earlier: Floats) -> Evidence:
    """Evidence that each block of `seen.outer` was quantised by the steps `earlier` (K,) before the last steps.

    Arrays of shape (rows, columns), 0 for blocks outside `seen.outer`.
    """
    ratio, twice, once = _ratios(seen.card, earlier, seen.last)
    multiples = transformed(seen.light, np.argwhere(seen.outer) * BLOCK)
    np.abs(multiples, out=multiples)
    multiples /= seen.last.astype(np.float32)
    np.minimum(np.rint(multiples, out=multiples), _MULTIPLES + 1, out=multiples)
    # Zeros and sizes above the largest distinguished multiple carry no evidence.
    says = np.pad(ratio, ((0, 0), (1, 1)))
    found = says.take(multiples.astype(np.intp) + np.arange(len(says)) * says.shape[1])
    known = ((multiples > 0) & (multiples <= _MULTIPLES)).astype(np.float32)
    expected = product(known, np.stack([(share * ratio).sum(axis=1) for share in (twice, once)], axis=1))
    maps = np.zeros((3, *seen.outer.shape))
    maps[:, seen.outer] = product(found, np.ones((len(says), 1), np.float32))[:, 0], *expected.T
    return Evidence(*maps)


def _ratios(region: Coefficients, earlier: Floats, last: Floats) -> tuple[_Singles, _Singles, _Singles]:
    """Log likelihood ratios of the multiples of `last` (K,), with and without the steps `earlier` (..., K) before.

    Returns:
        The ratios and the shares after two quantisations, (..., K, multiples) each; the shares after one quantisation,
        (K, multiples).
    """
    once = _shares(_multiples(region.off_grid, last))
    twice = _twice(region, earlier, last, once)
    # Equal steps in both compressions leave no trace.
    return np.log(twice / once) * (earlier != last)[..., None], twice, once


def _earlier_steps(card: Coefficients, last: Floats) -> tuple[float, Floats] | None:
    """Evidence (nats) of a compression before the one with steps `last` (K,), and its steps (K,); None if unclear."""
    steps = quantisation_steps()[_EARLIER]
    ratio, twice, _ = _ratios(card, steps, last)
    seen = _multiples(card.on_grid, last)
    evidence = np.einsum("km,qkm->q", seen, ratio, dtype=np.float64)
    expected = np.einsum("k,qkm,qkm->q", seen.sum(axis=1), twice, ratio, dtype=np.float64)
    # Evidence far above the expected value means that the model does not fit the picture; reject it as well.
    low, high = (share * expected for share in _SHARES)
    # An edited block lowers the evidence by more than an untouched block raises it; relax the lower bound.
    low = np.where(evidence >= _MUCH_EVIDENCE, low / 3, low)
    clear = (evidence >= _LEAST_EVIDENCE) & (evidence >= low) & (evidence <= high)
    if not clear.any():
        return None
    best = int(np.where(clear, evidence, -np.inf).argmax())
    return float(evidence[best]), steps[best]


def last_steps(portrait: Floats, card: Floats) -> list[Floats]:
    """Candidates for the quantisation steps of the last compression.

    The last compression covered portrait and card, so both must show it. If a finer compression followed an earlier
    one, both may show the earlier one too; hence several candidates.

    Args:
        portrait: (K, bins + 1) cumulative histogram of the portrait on the grid.
        card: (K, bins + 1) cumulative histogram of the card on the grid.

    Returns:
        Steps of shape (K,), best first; one array of ones if no compression is visible.
    """
    of_card, of_portrait = _off_multiples(np.stack([card, portrait]))
    # A portrait with too few coefficients takes the value of the card.
    of_portrait = np.where(np.isnan(of_portrait), of_card, of_portrait)
    # Comparisons with NaN are false.
    fits = (of_card < _FITS_CARD) & (of_portrait < _FITS_PORTRAIT)
    found: list[int] = []
    for at in np.argsort(np.where(fits, of_card + of_portrait, np.inf))[: fits.sum()]:
        if all(abs(at - other) > _NEIGHBOURS for other in found):
            found.append(int(at))
    return [quantisation_steps()[at] for at in found] or [np.ones(len(card))]


def _off_multiples(counts: Floats) -> Floats:
    """Distance of coefficients, counted (R, K, bins + 1), from multiples of the steps of each quality, less rounding.

    (R, Q): about 0 for multiples of the steps, 1 for unrelated coefficients, NaN for too few coefficients.
    """
    steps = quantisation_steps()
    regions, coefficient = np.arange(len(counts))[:, None, None], np.arange(counts.shape[1])
    sizes = np.diff(counts).astype(np.float32)
    distances = product(sizes.reshape(-1, sizes.shape[-1]), _distances()).reshape(*sizes.shape[:2], -1)
    # Every coefficient fits a step of 1, so it carries no evidence.
    off = distances[regions, coefficient, steps.astype(int)] * (steps > 1)
    at_least = np.minimum(steps / 2 * FINE, counts.shape[-1] - 1).astype(np.intp)
    number = (counts[..., -1][:, None] - counts[regions, coefficient, at_least]) * (steps > 1)
    total = number.sum(axis=2)
    excess = (off - np.minimum(12 * _ROUNDING / steps**2, 1) * number).sum(axis=2)
    result: Floats = np.where(total >= _LEAST_COEFFICIENTS, excess / np.maximum(total, 1), np.nan)
    return result


def _twice(region: Coefficients, earlier: Floats, last: Floats, once: _Singles) -> _Singles:
    """Shares (..., K, multiples) of the multiples of `last` (K,) if the steps `earlier` (..., K) came before.

    `once` are the shares, (K, multiples), if none came before.
    """
    steps = earlier[..., None].astype(np.float32)
    counts = np.zeros(1, np.float32)
    for by in _ROUNDED_BY:
        moved = (_borders(last) - np.float32(by)) / steps
        np.ceil(moved, out=moved)
        moved -= np.float32(0.5)
        moved *= steps
        counts = counts + _between(region.off_grid, moved)
    result: _Singles = (1 - _MIXED) * _shares(counts) + _MIXED * once
    return result


def _multiples(counts: Floats, steps: Floats) -> _Singles:
    """(K, multiples): number of coefficients, counted (K, bins + 1), nearest to 1, 2, ... times the steps (K,)."""
    return _between(counts, _borders(steps))


def _borders(steps: Floats) -> _Singles:
    """(K, multiples + 1): bounds of the intervals nearest to 1, 2, ... times the steps (K,)."""
    multiples = np.arange(_MULTIPLES + 1, dtype=np.float32) + np.float32(0.5)
    return np.asarray(multiples * steps.astype(np.float32)[:, None])


def _between(counts: Floats, borders: _Singles) -> _Singles:
    """(..., K, n): number of coefficients, counted (K, bins + 1), between the bounds (..., K, n + 1)."""
    at = np.minimum(borders * np.float32(FINE), np.float32(counts.shape[1] - 1)).astype(np.intp)
    at += (np.arange(len(counts)) * counts.shape[1])[:, None]
    # Counts of up to 2**24 coefficients are exact in 32 bits.
    below = counts.astype(np.float32).take(at)
    return np.asarray(below[..., 1:] - below[..., :-1])


def _shares(counts: _Singles) -> _Singles:
    """Counts (..., multiples) as positive shares that sum to 1."""
    some = counts + (0.3 * np.exp(-np.arange(_MULTIPLES) / 3)).astype(np.float32)
    some /= some.sum(axis=-1, keepdims=True)
    return np.asarray(some, np.float32)


@functools.cache
def _distances() -> NDArray[np.float32]:
    """(bins, steps): squared distance of a coefficient size from the nearest multiple of a step.

    The unit is the mean for coefficients unrelated to the step, step squared / 12. Sizes that quantise to zero have
    distance 0, because zero is a multiple of every step.
    """
    size = (np.arange(LARGEST * FINE) + 0.5) / FINE
    multiples = size[:, None] / np.maximum(np.arange(int(quantisation_steps().max()) + 1), 1)
    return fixed((12 * (multiples - np.rint(multiples)) ** 2 * (multiples > 0.5)).astype(np.float32))


def _part(
    pixels: Pixels, corners: NDArray[np.float32], face_box: NDArray[np.float32]
) -> tuple[Pixels, NDArray[np.float32], NDArray[np.float32]]:
    """Crop the photo to the document on its JPEG grid; return the part, and corners and face box in its pixels."""
    height, width = pixels.shape[:2]
    low = np.clip(np.floor(corners.min(axis=0)), 0, (width - 1, height - 1)).astype(int) // BLOCK * BLOCK
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, low + 1, (width, height)).astype(int)
    middle = (face_box[:2] + face_box[2:]) / 2
    # Crop instead of scaling down: a change of size removes the trace.
    side = max(_LONGEST, int(_FACES * float((face_box[2:] - face_box[:2]).max())))
    near = np.maximum((middle - side / 2).astype(int) // BLOCK * BLOCK, low)
    low, high = near, np.minimum(high, near + side)
    shift = low.astype(np.float32)
    part = pixels[low[1] : high[1], low[0] : high[0]]
    return part, corners - shift, face_box - np.tile(shift, 2)


def _regions(
    on_card: NDArray[np.uint8], box: NDArray[np.float32], rows: int, columns: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Blocks of the face, and blocks of the card away from it; `on_card` is HxW, 255 on the card and 0 elsewhere."""
    y, x = ((np.arange(rows) + 0.5) * BLOCK)[:, None], (np.arange(columns) + 0.5) * BLOCK
    left, top, right, bottom = (float(v) for v in box)
    cx, cy, w, h = (left + right) / 2, (top + bottom) / 2, max(right - left, 1.0), max(bottom - top, 1.0)
    inner = (np.abs(x - cx) < 0.5 * w) & (np.abs(y - cy) < 0.5 * h)
    far = (np.abs(x - cx) > 1.15 * w) | (np.abs(y - cy) > 1.15 * h)
    card = filled(on_card, rows, columns)
    return inner & card, far & card
