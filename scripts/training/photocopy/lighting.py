"""Light, tone and camera: what stands between the colours of a document and those of its photo.

`document`'s views get colour casts by the channel; here colour is all that counts, so light is what it is in front of a
lens: linear, of any colour, not the same everywhere, with shadows of another colour than the light.
"""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng, jpeg

GAMMA = 2.2
STRONG = 0.25  # share of lights of a strong colour: lamps, neon, a curtain


def photographed(rng: Rng, pixels: Array) -> Array:
    """BGR uint8 [H,W,3] under some light, by some camera; a scanner's even white light among them."""
    linear = (pixels.astype(np.float32) / 255) ** GAMMA
    if rng.random() < 0.85:
        linear *= _light(rng, pixels.shape[0], pixels.shape[1])
    if rng.random() < 0.5:  # flare: some of the light spills over everything
        linear += rng.uniform(0, 0.06) * np.exp(rng.normal(0, 0.15, 3)).astype(np.float32)
    linear *= _exposure(rng, linear)
    if rng.random() < 0.3:
        linear = cv2.GaussianBlur(linear, (0, 0), rng.uniform(0.4, 1.4))
    if rng.random() < 0.7:
        noise = rng.normal(0, 1, linear.shape).astype(np.float32)
        if rng.random() < 0.4:  # colour noise in blotches, as small sensors leave it after their own smoothing
            noise = 2.5 * cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.7, 1.6))
        linear += noise * rng.uniform(0, 0.012) * np.sqrt(np.maximum(linear, 0.01))
    out = np.clip(linear, 0, 1) ** (1 / GAMMA)
    out = _developed(rng, out)
    return _saved(rng, np.clip(255 * out + 0.5, 0, 255).astype(np.uint8))


def _light(rng: Rng, height: int, width: int) -> Array:
    """Its colour and strength by place, [H,W,3]."""
    spread = 0.45 if rng.random() < STRONG else 0.12
    log = np.zeros((height, width, 3), np.float32) + rng.normal(0, spread, 3).astype(np.float32)
    if rng.random() < 0.6:  # from one side
        field = rng.normal(0, rng.uniform(0.05, 0.4), (2, 2, 1)) + rng.normal(0, rng.uniform(0, 0.1), (2, 2, 3))
        log += cv2.resize(field.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.35:  # shadows: bars, or one edge
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        angle = rng.uniform(0, np.pi)
        along = (x * np.cos(angle) + y * np.sin(angle)) / width
        period = rng.uniform(0.3, 3)
        bars = np.sin(2 * np.pi * (along / period + rng.random())) > rng.uniform(-0.7, 0.7)
        soft = cv2.GaussianBlur(bars.astype(np.float32), (0, 0), rng.uniform(0.5, 6))[..., None]
        log -= soft * (rng.uniform(0.2, 1.3) + rng.normal(0, 0.12, 3).astype(np.float32))
    return np.exp(log)


def _exposure(rng: Rng, linear: Array) -> float:
    """So that the brightest parts come out light, mostly; now and then over or under."""
    bright = float(np.percentile(linear.max(axis=2), 95))
    return float(np.exp(rng.normal(-0.25, 0.35)) / max(bright, 1e-3))


def _developed(rng: Rng, out: Array) -> Array:
    """A camera's curve, for each channel alone, and its idea of white and of how strong colours should be."""
    if rng.random() < 0.6:
        steep = rng.uniform(0.5, 1.0)
        out = (1 - steep) * out + steep * out * out * (3 - 2 * out)
    if rng.random() < 0.5:
        out = out ** np.exp(rng.normal(0, 0.15))
    if rng.random() < 0.5:
        grey = out.mean(axis=2, keepdims=True)
        out = grey + (out - grey) * rng.uniform(0.6, 1.4)
    return np.asarray(np.clip(out * np.exp(rng.normal(0, 0.05, 3)), 0, 1), np.float32)


def _saved(rng: Rng, pixels: Array) -> Array:
    """As a JPEG of a photo with more pixels, or as many, made smaller."""
    if rng.random() < 0.2:
        return pixels
    larger = rng.choice([1.0, 1.0, 1.6, 2.5])
    height, width = pixels.shape[:2]
    if larger > 1:
        pixels = cv2.resize(pixels, None, fx=larger, fy=larger, interpolation=cv2.INTER_CUBIC)
    quality = int(rng.integers(35, 97))
    pixels = jpeg(pixels, quality)
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA) if larger > 1 else pixels
