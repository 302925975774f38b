"""What apps and people do to any photo, live or recaptured: at the size that the recapture network sees."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng, jpeg


def edited(crop: Array, other: Array, rng: Rng) -> Array:
    """A crop HxWx3 uint8 with bars, text, a turn, without colour, or partly covered by a part of another crop."""
    crop = crop.copy()
    size = crop.shape[0]
    if rng.random() < 0.2:  # covered, as by a mask, a hand or a second photo of a collage
        high, wide = (int(n) for n in rng.integers(size // 10, size // 2, 2))
        top, left = int(rng.integers(0, size - high)), int(rng.integers(0, size - wide))
        part = other[top : top + high, left : left + wide] if rng.random() < 0.5 else rng.integers(0, 256, 3)
        crop[top : top + high, left : left + wide] = part
    if rng.random() < 0.15:
        turn = cv2.getRotationMatrix2D((size / 2, size / 2), float(rng.normal(0, 12)), 1.0)
        mode = cv2.BORDER_CONSTANT if rng.random() < 0.5 else cv2.BORDER_REPLICATE
        crop = cv2.warpAffine(crop, turn, (size, size), flags=cv2.INTER_LINEAR, borderMode=mode)
    if rng.random() < 0.15:
        _add_bars(crop, other, rng)
    if rng.random() < 0.1:
        at = (int(rng.integers(-10, size // 2)), int(rng.integers(8, size)))
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.putText(crop, "stock 123", at, int(rng.integers(0, 8)), float(rng.uniform(0.2, 0.7)), colour, 1, 16)
    if rng.random() < 0.08:
        crop = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return crop


def changed(crop: Array, rng: Rng) -> Array:
    """Mirrored, in other light, softer and compressed again at times: HxWx3 uint8 to the same."""
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    gain, gamma = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3)), np.exp(rng.normal(0, 0.15))
    table = np.clip(255 * (np.arange(256)[:, None] / 255) ** gamma * gain, 0, 255).astype(np.uint8)
    new: Array = cv2.LUT(np.ascontiguousarray(crop), table[:, None])
    if rng.random() < 0.2:
        new = cv2.GaussianBlur(new, (0, 0), rng.uniform(0.3, 0.9))
    if rng.random() < 0.15:
        new = jpeg(new, int(rng.integers(50, 96)))
    return new


def _add_bars(crop: Array, other: Array, rng: Rng) -> None:
    """Straight bars or another photo at one or two sides, along the axes."""
    size = crop.shape[0]
    for _ in range(int(rng.integers(1, 3))):
        wide, side = int(rng.integers(2, size // 4)), int(rng.integers(4))
        rows, columns = (slice(0, wide), slice(size - wide, size), slice(None), slice(None))[side], slice(None)
        if side > 1:
            columns = (slice(0, wide), slice(size - wide, size))[side - 2]
        crop[rows, columns] = other[rows, columns] if rng.random() < 0.3 else int(rng.choice([0, 128, 255]))
