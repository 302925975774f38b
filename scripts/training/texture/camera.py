"""What a phone does between lens and file: mosaic, noise, noise reduction, sharpening, tone, JPEG, a messenger.

Live captures and recaptures go through the same functions, so that softness, noise, sharpening and compression do not
separate the classes.
"""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng, jpeg


def photographed(light: Array, rng: Rng) -> Array:
    """A file as a phone writes it.

    Args:
        light: HxWx3 float32, linear light at the sensor, BGR, 0 to 1; even height and width.
        rng: chooses the camera.

    Returns:
        HxWx3 uint8 BGR.
    """
    shots = np.exp(rng.uniform(np.log(2e-4), np.log(3e-3)))  # variance of the shot noise at full scale
    noisy = light + rng.standard_normal(light.shape, dtype=np.float32) * np.sqrt(
        np.maximum(light, 0) * np.float32(shots) + np.float32((rng.uniform(0.001, 0.005)) ** 2)
    )
    seen = 255 * np.clip(noisy, 0, 1) ** np.float32(1 / rng.uniform(1.9, 2.5))
    pixels = _demosaiced(seen, rng) if rng.random() < 0.7 else seen.astype(np.uint8)
    return developed(pixels, rng)


def developed(pixels: Array, rng: Rng) -> Array:
    """Noise reduction, sharpening and tone of a camera, HxWx3 uint8 BGR to the same."""
    pixels = _denoised(pixels, rng)
    if rng.random() < 0.6:
        pixels = _sharpened(pixels, rng)
    return toned(pixels, rng)


def sent(pixels: Array, rng: Rng) -> Array:
    """Compressed once, as the camera writes it, and at times made smaller and compressed again by a messenger."""
    if rng.random() < 0.7:
        pixels = jpeg(pixels, int(rng.integers(70, 98)))
    if rng.random() < 0.35:
        scale = float(np.exp(rng.uniform(np.log(0.5), np.log(0.95))))
        how = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(3)]
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=how)
        if rng.random() < 0.3:
            pixels = _sharpened(pixels, rng)
        pixels = jpeg(pixels, int(rng.integers(55, 92)))
    return pixels


def toned(pixels: Array, rng: Rng) -> Array:
    """Exposure, white balance, contrast and saturation, one table per channel."""
    ramp = np.arange(256) / 255
    gamma, gain, lift = np.exp(rng.normal(0, 0.18)), np.exp(rng.normal(0, 0.12)), abs(rng.normal(0, 0.02))
    table = np.empty((1, 256, 3), np.uint8)
    for channel in range(3):
        cast = np.exp(rng.normal(0, 0.05))
        table[0, :, channel] = np.clip((ramp**gamma * gain * cast * (1 - lift) + lift) * 255, 0, 255)
    pixels = cv2.LUT(pixels, table)
    if rng.random() < 0.4:
        grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        keep = float(rng.uniform(0.3, 1.4))
        pixels = cv2.addWeighted(pixels, keep, grey, 1 - keep, 0)
    return pixels


def _demosaiced(seen: Array, rng: Rng) -> Array:
    values = seen.astype(np.uint8)
    raw = values[..., 1].copy()
    raw[::2, ::2], raw[1::2, 1::2] = values[::2, ::2, 2], values[1::2, 1::2, 0]
    how = cv2.COLOR_BayerBG2BGR if rng.random() < 0.5 else cv2.COLOR_BayerBG2BGR_EA
    out: Array = cv2.cvtColor(raw, how)
    return out


def _denoised(pixels: Array, rng: Rng) -> Array:
    chance = rng.random()
    if chance < 0.25:
        return cv2.bilateralFilter(pixels, 5, float(rng.uniform(8, 45)), float(rng.uniform(1, 3)))
    if chance < 0.4:
        return cv2.medianBlur(pixels, 3)
    if chance < 0.6:  # colour noise is removed more than noise of the brightness
        ycc = cv2.cvtColor(pixels, cv2.COLOR_BGR2YCrCb)
        ycc[..., 1:] = cv2.GaussianBlur(ycc[..., 1:], (0, 0), float(rng.uniform(0.8, 2.5)))
        return cv2.cvtColor(ycc, cv2.COLOR_YCrCb2BGR)
    if chance < 0.75:
        return cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.4, 1.1)))
    return pixels


def _sharpened(pixels: Array, rng: Rng) -> Array:
    soft = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.6, 2.0)))
    amount = float(rng.uniform(0.2, 1.6))
    return cv2.addWeighted(pixels, 1 + amount, soft, -amount, 0)
