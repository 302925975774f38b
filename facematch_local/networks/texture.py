"""The texture network: whether squares of a photo were photographed from a print or a screen.

Convention `texture-1`:

Input `tiles`, uint8 (N, 96, 96, 3), BGR: squares of the decoded photo, not resampled further, because resampling
removes halftone, pixel grid and moire. The network computes their spectra itself.
Output `scores`, float32 (N, 1): logit of a recapture for each square; the odds of those of one photo are averaged.
The grid of the photo, measured without a network by `facematch_local.imaging.grid.grid_of`, adds to that logit.
A few squares on the face come first. Where they show a live photo plainly, the others need not be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.grid import grid_of
from facematch_local.imaging.photo import Pixels
from facematch_local.networks.base import Network

Corner: TypeAlias = tuple[int, int]

TILE: Final = 96
ON_FACE: Final = 6
"""Largest number of squares on the face."""
AROUND: Final = 6
"""Largest number of squares around it."""
FIRST: Final = 3
"""Squares that are looked at in every photo, if it has room for so many."""
SETTLED: Final = -0.5
"""If the logit of the first squares is at most this, the others are skipped (models/compact/NOTEBOOK.md, "Cost")."""
GRID_WEIGHT: Final = 0.3
"""What each unit of the grid adds to the logit of a photo (models/compact/NOTEBOOK.md, "Grid")."""
GRID_USUAL: Final = 3.1
"""The grid that leaves the logit as it is."""
_REACH: Final = 2.7  # side of the analysed surroundings, in longer sides of the face box
_GRID: Final = 5  # candidates around the face, each way
_DARKEST, _BRIGHTEST = 30.0, 235.0  # a square beyond shows no texture
_SKIPPED: Final = 4  # each n-th pixel is enough to see how even a square is


class TextureNetwork(Network):
    """Looks for traces of a print or a screen in the texture of a photo. Safe to share between threads."""

    TASK = "texture"
    CONVENTION = "texture-1"
    CROPS: ClassVar[Mapping[str, int]] = {"tiles": TILE}
    GIVES: ClassVar[Mapping[str, list[int]]] = {"scores": [1]}

    def predict(self, pixels: Pixels, box: NDArray[np.float32], *, thorough: bool = True) -> float | None:
        """Logit of a photo taken of a print or a screen: at most two forward passes.

        Args:
            pixels: HxWx3 uint8 BGR photo at its own resolution.
            box: (4,) left, top, right, bottom of the face in pixels of the photo.
            thorough: look at every square, even if the first ones show a live photo plainly.

        Returns:
            The natural logarithm of the mean of the odds of the squares, with the grid; None if the photo's shorter
            side is below 96 pixels.
        """
        if min(pixels.shape[:2]) < TILE:
            return None
        grid = grid_of(pixels, box)
        shift = 0.0 if grid is None else GRID_WEIGHT * (grid - GRID_USUAL)
        face = squares_on_face(pixels, box)
        # On a small face there is room for few squares; those around it complete the first ones.
        enough = len(face) >= FIRST
        corners = face if enough else [*face, *squares_around(pixels, box, face)]
        odds = self._odds(pixels, corners[:FIRST])
        logit = float(np.log(odds.mean())) + shift
        if logit <= SETTLED and not thorough:
            return logit
        if enough:  # the squares around were not needed until now
            corners = [*face, *squares_around(pixels, box, face)]
        if further := corners[FIRST:]:
            odds = np.concatenate([odds, self._odds(pixels, further)])
        return float(np.log(odds.mean())) + shift

    def _odds(self, pixels: Pixels, corners: Sequence[Corner]) -> NDArray[np.float64]:
        """Odds of a recapture of each square."""
        (scores,) = self._session.run(["scores"], {"tiles": cut(pixels, corners)})
        # The mean of the odds, not of the logits: the traces of a screen show in some squares only.
        odds: NDArray[np.float64] = np.exp(np.clip(scores[:, 0].astype(np.float64), -30.0, 30.0))
        return odds


def squares_on_face(pixels: Pixels, box: NDArray[np.float32]) -> list[Corner]:
    """The squares of convention `texture-1` on the face, those at its corners first.

    Args:
        pixels: HxWx3 uint8 BGR photo of at least 96x96 pixels.
        box: (4,) left, top, right, bottom of the face in pixels of the photo.

    Returns:
        1 to 6 top left corners (row, column) in pixels.
    """
    corners = _spread(box, (3, 2), pixels)
    rows, columns = (sorted({corner[axis] for corner in corners}) for axis in (0, 1))
    outer = [
        corner for corner in corners if corner[0] in (rows[0], rows[-1]) and corner[1] in (columns[0], columns[-1])
    ]
    # The two at the ends of a diagonal come first: few squares then show most of the face.
    outer = [*outer[:1], *outer[:0:-1]]
    return [*outer, *(corner for corner in corners if corner not in outer)]


def squares_around(pixels: Pixels, box: NDArray[np.float32], face: Sequence[Corner]) -> list[Corner]:
    """The squares of convention `texture-1` on the most even ground around the face.

    Args:
        pixels: HxWx3 uint8 BGR photo of at least 96x96 pixels.
        box: (4,) left, top, right, bottom of the face in pixels of the photo.
        face: the squares on the face, which these do not cover.

    Returns:
        0 to 6 top left corners (row, column) in pixels.
    """
    centre, side = (box[:2] + box[2:]) / 2, float(max(box[2] - box[0], box[3] - box[1])) * _REACH / 2
    surroundings = np.array([*(centre - side), *(centre + side)], np.float32)
    around = [corner for corner in _spread(surroundings, (_GRID, _GRID), pixels) if not _covered(corner, face)]
    return _evenest(pixels, around)


def cut(pixels: Pixels, corners: Sequence[Corner]) -> NDArray[np.uint8]:
    """Squares of a photo by their top left corners (row, column): (N, 96, 96, 3) uint8 BGR."""
    return np.stack([pixels[top : top + TILE, left : left + TILE] for top, left in corners])


def _spread(box: NDArray[np.float32], counts: tuple[int, int], pixels: Pixels) -> list[Corner]:
    """Top left corners (row, column) of squares evenly spread over a box, at least half a square apart."""
    starts = []
    for axis in (0, 1):
        low = max(float(box[1 - axis]), 0.0)
        high = min(float(box[3 - axis]), float(pixels.shape[axis]))
        first, last = low, high - TILE
        if last <= first:
            first = last = (low + high - TILE) / 2
        count = min(counts[axis], int((last - first) // (TILE / 2)) + 1)
        places = np.linspace(first, last, count) if count > 1 else np.array([(first + last) / 2])
        starts.append(np.clip(np.round(places), 0, pixels.shape[axis] - TILE).astype(int).tolist())
    return [(row, column) for row in starts[0] for column in starts[1]]


def _covered(corner: Corner, others: Sequence[Corner]) -> bool:
    """Whether a square shares more than half of a side with one of the others, both ways."""
    return any(abs(corner[0] - row) < TILE / 2 and abs(corner[1] - column) < TILE / 2 for row, column in others)


def _evenest(pixels: Pixels, corners: list[Corner]) -> list[Corner]:
    """At most `AROUND` of the squares: those neither black nor white with the least contrast."""
    if not corners:
        return []
    some = slice(0, TILE, _SKIPPED)
    parts = np.stack([pixels[row:, column:][some, some, 1] for row, column in corners])
    values = parts.reshape(len(corners), -1).astype(np.int64)
    sums, count = values.sum(axis=1), values.shape[1]
    contrast = count * np.square(values).sum(axis=1) - np.square(sums)  # whole numbers keep the order exact
    usable = (_DARKEST * count <= sums) & (sums <= _BRIGHTEST * count)
    rated = zip(contrast[usable].tolist(), np.array(corners)[usable].tolist(), strict=True)
    return [(row, column) for _, (row, column) in sorted(rated)[:AROUND]]
