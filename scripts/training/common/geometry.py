"""Five-point geometry: the ArcFace template, the similarity transform, the mirrored order of points."""

from __future__ import annotations

import numpy as np

from scripts.training.common.image import Array

FLIP = [1, 0, 2, 4, 3]  # indices of the five points (eyes, nose tip, mouth corners) in a mirrored photo

# insightface's five points of the 112x112 ArcFace crop: eyes, nose tip, mouth corners, x and y in pixels.
ARCFACE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)


def similarity(source: Array, target: Array) -> Array:
    """Least-squares similarity transform [2,3] that takes points [N,2] to target [N,2] (Umeyama, no reflection)."""
    a, b = source.mean(0), target.mean(0)
    x, y = source - a, target - b
    norm = (x**2).sum()
    cos = (x * y).sum() / norm
    sin = (x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]).sum() / norm
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.hstack([turn, (b - turn @ a)[:, None]])
