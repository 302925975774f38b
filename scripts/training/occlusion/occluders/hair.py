"""Hair that is like a covering: beards and fringes."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng
from scripts.training.occlusion.occluders.head import dome, head_of
from scripts.training.occlusion.occluders.paint import JAW, SIZE, blend, noise, out_from, region, smooth


def beard(canvas: Array, mesh: Array, rng: Rng) -> None:
    """Beard and moustache, lips free: not a mask."""
    tint = rng.choice(4, p=[0.45, 0.25, 0.2, 0.1])
    tone = [np.array([20, 22, 28]), np.array([30, 50, 80]), np.array([150, 150, 150]), np.array([230, 230, 230])][tint]
    ends = rng.integers(2, 6)
    jaw = out_from(mesh[JAW[ends : len(JAW) - ends]], mesh[4], rng.uniform(0.98, 1.25))
    top = mesh[[425, 326, 2, 97, 205]]
    alpha = region(smooth(np.vstack([jaw, top]), per=5), rng.uniform(2, 6))
    alpha *= 1 - region(smooth(mesh[[61, 37, 0, 267, 291, 405, 17, 181]], per=4), 1.5) * rng.uniform(0.5, 1)
    hair = 0.5 + 0.5 * np.clip(noise(rng, 2.0) + 0.5 * noise(rng, 6), -1, 1)
    blend(canvas, tone * rng.uniform(0.6, 1.2), np.clip(alpha * rng.uniform(0.5, 1.1) * (0.55 + 0.6 * hair), 0, 1))


def low_fringe(canvas: Array, mesh: Array, rng: Rng) -> None:
    """A fringe that reaches the eyes and shades them: no sunglasses, no head covering."""
    fringe(canvas, mesh, rng, brow=rng.uniform(-0.05, 0.3))


def fringe(canvas: Array, mesh: Array, rng: Rng, brow: float | None = None) -> None:
    """Hair over the forehead and beside the face: no head covering.

    It ends `brow` eye distances above the eyes; by default between 0.3 and 0.8.
    """
    middle, _along, down, apart, _half = head_of(mesh)
    tone = [(18, 18, 22), (25, 40, 65), (60, 100, 150), (120, 120, 125), (40, 60, 120)][
        rng.choice(5, p=[0.5, 0.2, 0.12, 0.08, 0.1])
    ]
    yy, _xx = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    thin = cv2.resize(rng.normal(0, 1, (4, SIZE)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    locks = cv2.resize(
        rng.normal(0, 1, (2, SIZE // 12)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC
    )
    shape = dome(
        mesh,
        rng,
        rng.uniform(0.3, 0.8) if brow is None else brow,
        rng.uniform(1.55, 1.85),
        rng.uniform(1.0, 1.12),
        rng.uniform(-1.2, 0.6),
    )
    alpha = region(shape, 1.5)
    low = np.roll(alpha, 1, 0)
    ends = cv2.GaussianBlur(alpha, (0, 0), 7)
    alpha = np.clip((ends - 0.5) * 6 + 0.5 + 0.6 * locks + 0.4 * thin, 0, 1) * np.clip(ends * 3, 0, 1)
    paint = np.array(tone) * (1 + 0.35 * thin + 0.25 * noise(rng, 40))[..., None]
    shine = np.exp(-(((yy - (middle - down * rng.uniform(1.0, 1.5) * apart)[1]) / 14) ** 2)) * rng.uniform(0, 70)
    paint = paint + (shine * (0.6 + 0.4 * thin))[..., None]
    blend(canvas, np.clip(paint, 0, 255), alpha * np.clip(low + 0.6, 0, 1))
