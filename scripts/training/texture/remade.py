"""Squares of live photos that an app or a site made anew: enlarged, sharpened, joined to a collage, written on."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng, jpeg

ENLARGING = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


def remade(image: Array, side: int, rng: Rng) -> Array:
    """Side x side x 3 uint8 BGR of a live photo, HxWx3 uint8 BGR with at least 64 pixels each way."""
    make = (_enlarged, _sharpened, _joined, _scraped)[int(rng.integers(4))]
    return jpeg(make(image, side, rng), int(rng.integers(45, 97)))


def _part(image: Array, side: int, scale: float, rng: Rng) -> Array:
    """A square of the photo at a scale, or at a larger one where the photo is small: side x side x 3."""
    cut = int(min(max(side / scale, 8), *image.shape[:2]))
    top, left = (int(rng.integers(0, n - cut + 1)) for n in image.shape[:2])
    how = cv2.INTER_AREA if cut > side else ENLARGING[int(rng.integers(3))]
    return cv2.resize(image[top : top + cut, left : left + cut], (side, side), interpolation=how)


def _enlarged(image: Array, side: int, rng: Rng) -> Array:
    part = _part(image, side, float(np.exp(rng.uniform(0.2, 1.4))), rng)
    return _unsharp(part, rng.uniform(0.3, 1.5), rng) if rng.random() < 0.4 else part


def _sharpened(image: Array, side: int, rng: Rng) -> Array:
    return _unsharp(_part(image, side, float(np.exp(rng.uniform(-1.4, 0))), rng), rng.uniform(0.5, 2.5), rng)


def _joined(image: Array, side: int, rng: Rng) -> Array:
    """Two parts at their own scales, with a straight border, at times with a bar between."""
    scales = np.exp(rng.uniform(-1, 0.7, 2))
    first, second = (_part(image, side, float(scale), rng) for scale in scales)
    border, bar = int(rng.integers(side // 6, side - side // 6)), int(rng.integers(0, 8))
    first[:, border:] = second[:, border:]
    first[:, border : border + bar] = int(rng.choice([0, 128, 255]))
    return first.transpose(1, 0, 2).copy() if rng.random() < 0.5 else first


def _scraped(image: Array, side: int, rng: Rng) -> Array:
    """Written on, and compressed twice at two sizes."""
    part = _part(image, side, float(np.exp(rng.uniform(-0.7, 0.7))), rng)
    if rng.random() < 0.6:
        at = (int(rng.integers(-20, side // 2)), int(rng.integers(10, side)))
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.putText(part, "stock photo 123", at, int(rng.integers(0, 8)), float(rng.uniform(0.4, 1.5)), colour, 1, 16)
    small = cv2.resize(jpeg(part, int(rng.integers(30, 85))), None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    how = ENLARGING[int(rng.integers(3))]
    return cv2.resize(jpeg(small, int(rng.integers(35, 90))), (side, side), interpolation=how)


def _unsharp(pixels: Array, amount: float, rng: Rng) -> Array:
    soft = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.6, 2.0)))
    return cv2.addWeighted(pixels, 1 + amount, soft, -amount, 0)
