"""Draw what covers a face, and what only looks like it, on aligned faces.

Everything is drawn on a 320x320 BGR canvas in which the eyes are `paint.EYES` pixels apart (see `canvas.py`); the 468
points of the MediaPipe mesh give the positions of brows, eyes, nose, lips and jaw. Each drawer changes the canvas in
place; `draw` picks some and returns what is true of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from scripts.training.common.image import Array, Rng
from scripts.training.occlusion.occluders.glasses import clear_glasses, closed_eyes, dark_sockets, shadow, sunglasses
from scripts.training.occlusion.occluders.hair import beard, fringe, low_fringe
from scripts.training.occlusion.occluders.hats import beanie, brimmed, cap, headband, helmet, santa, veil
from scripts.training.occlusion.occluders.masks import chin_mask, hand, mask, microphone, scarf

UNKNOWN = -1


@dataclass(frozen=True)
class Labels:
    """1 true, 0 false, `UNKNOWN` not to be learnt from."""

    sunglasses: int = 0
    clear_glasses: int = 0
    mask: int = 0
    head_covering: int = 0

    def row(self) -> list[int]:
        """In the order of the network's outputs."""
        return [self.sunglasses, self.clear_glasses, self.mask, self.head_covering]


Drawer = Callable[[Array, Array, Rng], None]
HATS: tuple[Drawer, ...] = (beanie, cap, cap, brimmed, helmet, veil, santa)
LIKE_HATS: tuple[Drawer, ...] = (headband, fringe, fringe)
COVERS: tuple[Drawer, ...] = (mask, mask, mask, mask, scarf, hand)
LIKE_COVERS: tuple[Drawer, ...] = (beard, beard, microphone, chin_mask)
LIKE_SUNGLASSES: tuple[Drawer, ...] = (dark_sockets, closed_eyes, shadow, low_fringe)


def draw(canvas: Array, mesh: Array, known: Labels, rng: Rng) -> tuple[Array, Labels]:
    """A copy of the canvas with something drawn on it, and its labels.

    Nothing is drawn where the photo already has it (or may have it): the label stays what it was.
    """
    canvas = canvas.copy()
    pick = rng.random(3)
    bare_eyes = known.sunglasses == 0 and known.clear_glasses != 1
    labels = known
    if known.mask == 0:
        if pick[0] < 0.4:
            COVERS[rng.integers(len(COVERS))](canvas, mesh, rng)
            labels = replace(labels, mask=1)
        elif pick[0] < 0.6:
            LIKE_COVERS[rng.integers(len(LIKE_COVERS))](canvas, mesh, rng)
    if (bare_eyes and known.clear_glasses == UNKNOWN and pick[1] < 0.75) or (bare_eyes and pick[1] < 0.8):
        if pick[1] < 0.35:
            sunglasses(canvas, mesh, rng)
            labels = replace(labels, sunglasses=1, clear_glasses=0)
        elif pick[1] < 0.6:
            clear_glasses(canvas, mesh, rng)
            labels = replace(labels, clear_glasses=1)
        else:
            LIKE_SUNGLASSES[rng.integers(len(LIKE_SUNGLASSES))](canvas, mesh, rng)
    elif known.sunglasses == 0 and pick[1] > 0.85:
        shadow(canvas, mesh, rng)
    if known.head_covering == 0:
        if pick[2] < 0.4:
            HATS[rng.integers(len(HATS))](canvas, mesh, rng)
            labels = replace(labels, head_covering=1)
        elif pick[2] < 0.58:
            LIKE_HATS[rng.integers(len(LIKE_HATS))](canvas, mesh, rng)
    return canvas, labels
