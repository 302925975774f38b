"""The texture network: whether squares of a photo were photographed from a print or a screen.

Convention `texture-1`:

Input `tiles`, uint8 (N, 96, 96, 3), BGR: squares of the decoded photo, not resampled further, because resampling
removes halftone, pixel grid and moire. The network computes their spectra itself.
Output `scores`, float32 (N, 1): logit of a recapture for each square; the odds of those of one photo are averaged.
The grid of the photo, measured without a network by `facematch_local.imaging.grid.grid_of`, adds to that logit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.photo import Pixels
from facematch_local.networks.base import Network

TILE: Final = 96
ON_FACE: Final = 6
"""Largest number of squares on the face."""
AROUND: Final = 6
"""Largest number of squares around it."""
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

    def predict(self, tiles: NDArray[np.uint8], grid: float | None = None) -> float:
        """Probability, 0 to 1, that a photo was taken of a print or a screen: one forward pass.

        Args:
            tiles: (N, 96, 96, 3) uint8 BGR from `texture_tiles`, at least one.
            grid: height of the strongest line of the spectrum, natural logarithm; None if it could not be measured.
        """
        (scores,) = self._session.run(["scores"], {"tiles": tiles})
        # The mean of the odds, not of the logits: the traces of a screen show in some squares only.
        odds = float(np.exp(np.clip(scores.astype(np.float64), -30.0, 30.0)).mean())
        if grid is not None:
            odds *= float(np.exp(GRID_WEIGHT * (grid - GRID_USUAL)))
        return odds / (1.0 + odds)


def texture_tiles(pixels: Pixels, box: NDArray[np.float32]) -> NDArray[np.uint8] | None:
    """The squares of convention `texture-1`: on the face, and on the most even ground around it.

    Args:
        pixels: HxWx3 uint8 BGR photo at its own resolution.
        box: (4,) left, top, right, bottom of the face in pixels of the photo.

    Returns:
        (N, 96, 96, 3) uint8 BGR, 1 to 12 squares; None if the photo's shorter side is below 96 pixels.
    """
    if min(pixels.shape[:2]) < TILE:
        return None
    face = _spread(box, (3, 2), pixels)
    centre, side = (box[:2] + box[2:]) / 2, float(max(box[2] - box[0], box[3] - box[1])) * _REACH / 2
    surroundings = np.array([*(centre - side), *(centre + side)], np.float32)
    around = [corner for corner in _spread(surroundings, (_GRID, _GRID), pixels) if not _covered(corner, face)]
    chosen = [*face, *_evenest(pixels, around)]
    return np.stack([pixels[top : top + TILE, left : left + TILE] for top, left in chosen])


def _spread(box: NDArray[np.float32], counts: tuple[int, int], pixels: Pixels) -> list[tuple[int, int]]:
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


def _covered(corner: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    """Whether a square shares more than half of a side with one of the others, both ways."""
    return any(abs(corner[0] - row) < TILE / 2 and abs(corner[1] - column) < TILE / 2 for row, column in others)


def _evenest(pixels: Pixels, corners: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """At most `AROUND` of the squares: those neither black nor white with the least contrast."""
    if not corners:
        return []
    rows, columns = (slice(0, TILE, _SKIPPED),) * 2
    parts = np.stack([pixels[row:, column:][rows, columns, 1] for row, column in corners])
    values = parts.reshape(len(corners), -1).astype(np.int64)
    sums, count = values.sum(axis=1), values.shape[1]
    contrast = count * np.square(values).sum(axis=1) - np.square(sums)  # whole numbers keep the order exact
    usable = (_DARKEST * count <= sums) & (sums <= _BRIGHTEST * count)
    rated = zip(contrast[usable].tolist(), np.array(corners)[usable].tolist(), strict=True)
    return [(row, column) for _, (row, column) in sorted(rated)[:AROUND]]
