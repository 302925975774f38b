"""The linear occlusion measure, for packs without an occlusion head.

On the same upright crop as the head: orientations of the gradient in an 8 x 8 grid (after Dalal and Triggs
2005: dark lenses, the hem of a mask and the rim of a cap are edges in places where a bare face has none) and
the colour in a 14 x 14 grid relative to that of the middle of the face. Its weights lie beside this file; how
they were made says `scripts/training/occlusion/fit.py`.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.photo import Pixels

WEIGHTS: Final = Path(__file__).with_name("occlusion_linear.npz")
KINDS: Final = ("sunglasses", "hat", "mask")


def features(crop: Pixels) -> NDArray[np.float32]:
    """What the linear measure looks at: (1296,) float32 from the 112x112x3 uint8 BGR crop of `heads.occlusion_crop`."""
    import cv2

    half = cv2.resize(crop, (56, 56), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(half, cv2.COLOR_BGR2GRAY).astype(np.float32)
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength = np.hypot(dx, dy)
    direction = ((np.arctan2(dy, dx) % np.pi) * (8 / np.pi)).astype(np.int32) % 8
    channels = np.where(direction[..., None] == np.arange(8), strength[..., None], 0).astype(np.float32)
    orientations = cv2.resize(channels, (8, 8), interpolation=cv2.INTER_AREA)
    orientations = np.sqrt(orientations / (orientations.mean() + 1e-3))
    small = cv2.resize(crop, (14, 14), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB)
    lab = lab - np.median(lab[6:11, 4:10].reshape(-1, 3), axis=0)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    return np.concatenate([orientations.ravel(), lab.ravel() / 20, chroma.ravel() / 10]).astype(np.float32)


def scores(crop: Pixels) -> dict[str, float]:
    """Probability by kind from the linear measure, 0 to 1."""
    weights, bias = _weights()
    logits = weights @ features(crop) + bias
    return {kind: float(p) for kind, p in zip(KINDS, 1 / (1 + np.exp(-np.clip(logits, -30, 30))), strict=True)}


@functools.cache
def _weights() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    with np.load(WEIGHTS) as stored:
        return stored["weights"].astype(np.float32), stored["bias"].astype(np.float32)
