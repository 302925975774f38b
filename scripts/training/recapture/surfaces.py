"""What a camera sees of a print or a display up close: inks, halftone dots, sub-pixels."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng


def gamut(image: Array, family: str, rng: Rng) -> Array:
    """Paper shows fewer colours and less contrast than a display."""
    grey = image.mean(2, keepdims=True)
    keep = rng.uniform(0.45, 0.9) if family != "photo_paper" else rng.uniform(0.7, 1.05)
    if family == "am_grey" or (family == "line_screen" and rng.random() < 0.6):
        keep = 0.0
    image = grey + (image - grey) * np.float32(keep)
    image = 255 * np.clip(image / 255, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.2)))
    return image * np.float32(rng.uniform(0.75, 1.0)) + np.float32(rng.uniform(0, 25))


def halftone(seen: Array, x: Array, y: Array, family: str, rng: Rng) -> Array:
    if family == "photo_paper":
        return seen
    cell = np.exp(rng.uniform(np.log(1.3), np.log(7.0)))
    hard = rng.uniform(2, 12)
    tone = np.clip(seen / 255, 0.01, 0.99)
    strength = np.float32(rng.uniform(0.2, 1.0))
    start = rng.uniform(0, 90)
    channels = []
    angles = (0.0, 75.0, 15.0) if family != "am_grey" else (45.0,)
    sources = [tone[..., 0], tone[..., 1], tone[..., 2]] if family != "am_grey" else [tone.mean(2)]
    if family == "fm":
        cell = np.exp(rng.uniform(np.log(0.6), np.log(1.8)))
    for value, degrees in zip(sources, angles, strict=True):
        a = np.deg2rad(degrees + start)
        if family == "fm":
            limit = scatter(x / np.float32(cell), y / np.float32(cell), rng)
        else:
            k = 2 * np.pi / cell
            first = np.cos(np.float32(k * np.cos(a)) * x + np.float32(k * np.sin(a)) * y)
            if family == "line_screen":
                limit = 0.5 + 0.5 * first
            else:
                second = np.cos(np.float32(-k * np.sin(a)) * x + np.float32(k * np.cos(a)) * y)
                limit = 0.5 + 0.25 * (first + second)
        channels.append(1 / (1 + np.exp(-np.float32(2 * hard) * (value - limit))))
    dots = np.stack(channels * (3 if len(channels) == 1 else 1), axis=2)
    return seen * (1 - strength) + 255 * dots * strength


def scatter(x: Array, y: Array, rng: Rng) -> Array:
    """Thresholds of a stochastic screen: uniform noise without its low frequencies, one value per dot."""
    size = 256
    white = rng.standard_normal((size, size)).astype(np.float32)
    blue = white - cv2.GaussianBlur(white, (0, 0), 1.2, borderType=cv2.BORDER_REFLECT)
    ranks = np.empty(size * size, np.float32)
    ranks[np.argsort(blue, axis=None)] = np.linspace(0, 1, size * size, dtype=np.float32)
    return ranks.reshape(size, size)[y.astype(np.int32) % size, x.astype(np.int32) % size]


def subpixels(x: Array, y: Array, family: str, rng: Rng) -> Array:
    """How much light each camera sample gets from the blue, green and red emitters, mean about 1."""
    if family == "stripe_turned":
        x, y = y, x
    fill = rng.uniform(0.55, 1.0)
    gap = rng.uniform(0.0, 0.3)
    amplitude = np.float32(rng.uniform(0.2, 1.0))
    rows = y - np.floor(y)
    columns = x - np.floor(x)
    order = (0, 1, 2) if rng.random() < 0.7 else (2, 1, 0)
    out = np.empty((*x.shape, 3), np.float32)
    if family == "delta":  # every other row moved by half a pixel
        columns = (x + 0.5 * (np.floor(y) % 2)) % 1
    if family == "pentile":  # green in every pixel, red and blue in turns: a chequer of diamonds
        turn = (np.floor(x) + np.floor(y)) % 2
        for channel in range(3):
            radius = np.abs(columns - 0.5) + np.abs(rows - 0.5)
            lit = (radius < 0.5 * fill) * (1.0 if channel == 1 else 2.0 * (turn == channel // 2))
            out[..., channel] = lit / max(float(lit.mean()), 1e-3)
    else:
        open_row = (rows > gap / 2) & (rows < 1 - gap / 2)
        for channel in range(3):
            middle = (order[channel] + 0.5) / 3
            lit = (np.abs(columns - middle) < fill / 6) & open_row
            out[..., channel] = lit / max(float(lit.mean()), 1e-3)
    return 1 + amplitude * (out - 1)
