"""Drawn things with fine, regular patterns that are no recapture: fabric, blinds, knitwear, checks, dots, bricks."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng

SIDE = 640


def drawn_ground(rng: Rng) -> Array:
    """A pattern at full sharpness, slightly uneven as woven and laid things are: 640x640x3 uint8 BGR."""
    row, column = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    x = np.float32(np.cos(angle)) * column + np.float32(np.sin(angle)) * row
    y = np.float32(np.cos(angle)) * row - np.float32(np.sin(angle)) * column
    x, y = x + _folds(rng), y + _folds(rng)
    period = np.exp(rng.uniform(np.log(4), np.log(60)))
    weight = _PATTERNS[int(rng.integers(len(_PATTERNS)))](x / np.float32(period), y / np.float32(period), rng)
    colours = rng.uniform(10, 245, (2, 3)).astype(np.float32)
    colours[1] = colours[0] + (colours[1] - colours[0]) * rng.uniform(0.15, 1.0)
    picture = colours[0] + (colours[1] - colours[0]) * weight[..., None]
    shade = 1 + np.float32(0.02) * _folds(rng)
    grain = rng.standard_normal((SIDE, SIDE, 1), dtype=np.float32) * rng.uniform(0, 6)
    return np.clip(picture * shade[..., None] + grain, 0, 255).astype(np.uint8)


def _folds(rng: Rng) -> Array:
    """Smooth unevenness, some pixels."""
    return cv2.resize(rng.standard_normal((7, 7)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) * (
        np.float32(rng.uniform(1, 14))
    )


def _stripes(x: Array, _: Array, rng: Rng) -> Array:
    return (np.sin(2 * np.pi * x) > rng.uniform(-0.8, 0.8)).astype(np.float32)


def _checks(x: Array, y: Array, _: Rng) -> Array:
    return (0.5 * (np.sin(2 * np.pi * x) > 0) + 0.5 * (np.sin(2 * np.pi * y) > 0)).astype(np.float32)


def _weave(x: Array, y: Array, _: Rng) -> Array:
    over = (np.floor(x) + np.floor(y)) % 2
    return np.where(over > 0, np.abs(np.sin(np.pi * x)), np.abs(np.sin(np.pi * y))).astype(np.float32)


def _knit(x: Array, y: Array, _: Rng) -> Array:
    lean = np.abs((x % 1) - 0.5)
    return np.abs(np.sin(np.pi * (y * 1.3 + 1.2 * lean))).astype(np.float32) * (0.4 + 0.6 * np.sin(np.pi * (x % 1)))


def _dots(x: Array, y: Array, rng: Rng) -> Array:
    x = x + 0.5 * (np.floor(y) % 2)
    away = np.hypot(x % 1 - 0.5, y % 1 - 0.5)
    return np.clip((rng.uniform(0.15, 0.4) - away) * 12, 0, 1).astype(np.float32)


def _bricks(x: Array, y: Array, rng: Rng) -> Array:
    x = x / 2.2 + 0.5 * (np.floor(y) % 2)
    joint = rng.uniform(0.05, 0.15)
    return ((x % 1 > joint / 2) & (y % 1 > joint)).astype(np.float32)


_PATTERNS = (_stripes, _checks, _weave, _knit, _dots, _bricks)
