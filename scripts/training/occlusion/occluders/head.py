"""The outline of a head: the frame, caps that follow it and the shadow below them."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng
from scripts.training.occlusion.occluders.paint import blend, frame_of, smooth


def head_of(mesh: Array) -> tuple[Array, Array, Array, float, float]:
    """Middle between the eyes, unit vectors, eye distance, half width of the head."""
    left, right, along, down, apart = frame_of(mesh)
    half = max(float(np.linalg.norm(mesh[454] - mesh[234])) / 2, 0.85 * apart)
    axis = (mesh[10] + mesh[152]) / 2
    middle = (left + right) / 2 * 0.5 + 0.5 * (axis + ((left + right) / 2 - axis) @ down * down)
    return middle, along, down, apart, half * 1.06


def dome(mesh: Array, rng: Rng, brow: float, top: float, wide: float, side: float) -> Array:
    """A closed cap-like outline; heights in eye distances above the eyes, `side` where it ends at the temples."""
    middle, along, down, apart, half = head_of(mesh)
    w = half * wide
    lean = rng.uniform(-0.12, 0.12) * apart
    points = [(-w, -side), (-w * 1.02, -side - 0.35), (-w * 0.85, -brow - 0.75 * (top - brow)), (-w * 0.4, -top)]
    points += [(lean, -top * 1.03), (w * 0.4, -top), (w * 0.85, -brow - 0.75 * (top - brow)), (w * 1.02, -side - 0.35)]
    points += [(w, -side), (w * 0.55, -brow), (0, -brow - rng.uniform(-0.03, 0.08)), (-w * 0.55, -brow)]
    grid = np.array(points) * np.array([1, apart])
    return smooth(middle + grid[:, :1] * along + grid[:, 1:] * down, per=6)


def shade_under(canvas: Array, alpha: Array, rng: Rng) -> None:
    """The shadow that a covering casts on the forehead."""
    low = np.roll(cv2.GaussianBlur(alpha, (0, 0), 6), int(rng.uniform(2, 14)), axis=0)
    blend(canvas, (0, 0, 0), rng.uniform(0.1, 0.6) * low * (1 - alpha))
