"""What cameras, prints, copies and codecs do to a picture."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng, jpeg
from scripts.training.common.synthetic import halftone


def degrade(rng: Rng, pixels: Array) -> Array:
    """A random chain of light, colour, blur, noise and JPEG on BGR uint8 [H,W,3]."""
    if rng.random() < 0.75:
        pixels = light(rng, pixels)
    if rng.random() < 0.15:
        pixels = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        if rng.random() < 0.4:  # a copier's steep curve
            steep, middle = rng.uniform(1.5, 4), rng.uniform(90, 160)
            curve = 255 / (1 + np.exp(-(np.arange(256) - middle) * steep / 64))
            pixels = cv2.LUT(pixels, curve.astype(np.uint8))
    if rng.random() < 0.06:
        pixels = halftone(rng, pixels)
    chance = rng.random()
    if chance < 0.12:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.5, 2.5))
    elif chance < 0.2:
        pixels = _motion(rng, pixels)
    elif chance < 0.32:
        small = rng.uniform(0.3, 0.8)
        how = cv2.INTER_AREA if rng.random() < 0.5 else cv2.INTER_LINEAR
        little = cv2.resize(pixels, None, fx=small, fy=small, interpolation=how)
        pixels = cv2.resize(little, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.25:
        sigma = np.exp(rng.uniform(np.log(2), np.log(25)))
        block = rng.standard_normal((96, 96, 3 if rng.random() < 0.6 else 1), dtype=np.float32) * sigma
        height, width = pixels.shape[:2]
        noise = np.tile(block, (height // 96 + 1, width // 96 + 1, 1))[:height, :width]
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        quality = int(rng.integers(20, 90))
        pixels = jpeg(pixels, quality)
    return pixels


def light(rng: Rng, pixels: Array) -> Array:
    """Gamma, contrast, brightness and colour cast through one table per channel."""
    ramp = np.arange(256) / 255
    gamma = np.exp(rng.normal(0, 0.35))
    gain = np.exp(rng.normal(0, 0.2))
    if rng.random() < 0.12:  # at night
        gain *= rng.uniform(0.15, 0.5)
    table = np.empty((1, 256, 3), np.uint8)
    lift = rng.normal(0, 0.05)
    for channel in range(3):
        cast = np.exp(rng.normal(0, 0.08))
        table[0, :, channel] = np.clip((ramp**gamma * gain * cast + lift) * 255, 0, 255)
    out = cv2.LUT(pixels, table)
    if rng.random() < 0.2:
        hsv = cv2.cvtColor(out, cv2.COLOR_BGR2HSV)
        hsv[..., 1] = cv2.multiply(hsv[..., 1], float(rng.uniform(0.2, 1.5)))
        out = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    if rng.random() < 0.15:  # light from one side
        height, width = out.shape[:2]
        field = cv2.resize(rng.uniform(0.4, 1.3, (2, 2)).astype(np.float32), (width, height))
        out = np.clip(out * field[..., None], 0, 255).astype(np.uint8)
    return out


def _motion(rng: Rng, pixels: Array) -> Array:
    length = int(rng.integers(3, 11))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    middle, reach = (length - 1) / 2, (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
    start, end = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
    cv2.line(kernel, tuple(start.tolist()), tuple(end.tolist()), 1.0)
    return cv2.filter2D(pixels, -1, kernel / kernel.sum())
