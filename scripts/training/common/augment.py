"""What happens to a face between its card, the printer, the camera and the upload, in well under a millisecond.

Every function takes and gives a BGR uint8 crop [S,S,3]. Strengths are scaled by S/112, so that training at a smaller
size sees the same pictures.
"""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.geometry import ARCFACE, similarity
from scripts.training.common.image import Array, jpeg

RAMP = np.arange(256, dtype=np.float32) / 255


def alignment(five: Array, rng: np.random.Generator | None) -> Array:
    """Matrix [2,3] from the frame to the ArcFace crop; with `rng`, as landmarks of a less exact detector give it."""
    points = five.astype(np.float64)
    if rng is not None:
        eyes = np.linalg.norm(points[1] - points[0])
        error = (0.05 if rng.random() < 0.3 else 0.025) * eyes
        points = points + rng.normal(0, error, points.shape) + rng.normal(0, error / 2, 2)
    matrix = similarity(points, ARCFACE.astype(np.float64))
    return matrix if rng is None else matrix * rng.normal(1, 0.012)


def tone(crop: Array, rng: np.random.Generator) -> Array:
    """Exposure, contrast, gamma and colour cast in one table per channel."""
    strength = 0.35 if rng.random() < 0.3 else 0.15
    curve = RAMP ** np.exp(rng.normal(0, strength))
    gain, lift = np.exp(rng.normal(0, strength / 2)), rng.normal(0, strength / 3)
    cast = rng.normal(0, strength / 4, 3) if rng.random() < 0.5 else np.zeros(3)
    table = (curve[:, None] - 0.5) * (gain * (1 + cast)) + 0.5 + lift + cast / 2
    return cv2.LUT(crop, (np.clip(table, 0, 1) * 255).astype(np.uint8).reshape(1, 256, 3))


def grey(crop: Array, rng: np.random.Generator) -> Array:
    """Less colour, down to none."""
    keep = max(0.0, rng.uniform(-0.6, 0.8))
    flat = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return cv2.addWeighted(crop, keep, flat, 1 - keep, 0)


def light(crop: Array, rng: np.random.Generator) -> Array:
    """Light from one side."""
    size = len(crop)
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.8)
    line = np.linspace(-1, 1, size, dtype=np.float32)
    ramp = 1 + depth * (np.cos(angle) * line[None, :] + np.sin(angle) * line[:, None]) / 1.4
    return np.clip(crop * ramp[..., None], 0, 255).astype(np.uint8)


def blur(crop: Array, rng: np.random.Generator) -> Array:
    sigma = rng.uniform(0.4, 1.6) * len(crop) / 112
    if rng.random() < 0.3:  # the hand moved
        width = 3 if sigma < 1 else 5
        return cv2.blur(crop, (width, 1) if rng.random() < 0.5 else (1, width))
    return cv2.GaussianBlur(crop, (0, 0), sigma)


def small(crop: Array, rng: np.random.Generator) -> Array:
    """Few pixels: a small portrait on a card, or one far away."""
    size = len(crop)
    target = int(size * np.exp(rng.uniform(np.log(0.26), np.log(0.7))))
    down = cv2.resize(crop, (target, target), interpolation=cv2.INTER_AREA if rng.random() < 0.7 else cv2.INTER_LINEAR)
    return cv2.resize(down, (size, size), interpolation=cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR)


def noise(crop: Array, rng: np.random.Generator) -> Array:
    """Sensor noise, coarse grain now and then."""
    size = len(crop)
    grain = np.empty((size, size, 3) if rng.random() < 0.5 else (size, size), np.int16)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(grain, 0, rng.uniform(3, 16))
    return np.clip(crop + (grain if grain.ndim == 3 else grain[..., None]), 0, 255).astype(np.uint8)


def compressed(crop: Array, rng: np.random.Generator) -> Array:
    """As a JPEG of low to middling quality."""
    return jpeg(crop, int(rng.integers(20, 80)))


def printed(crop: Array, rng: np.random.Generator) -> Array:
    """A print: raster of dots or lines, less contrast, a cast, now and then guilloche lines of a card over it."""
    size = len(crop)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), rng.uniform(2.2, 5.0)
    u = (np.cos(angle) * x + np.sin(angle) * y) * (2 * np.pi / period)
    v = (np.cos(angle) * y - np.sin(angle) * x) * (2 * np.pi / period)
    raster = np.cos(u) * np.cos(v) if rng.random() < 0.6 else np.cos(u)
    out = crop * np.float32(rng.uniform(0.6, 0.95)) + np.float32(rng.uniform(0, 50))
    out += (rng.uniform(4, 18) * raster)[..., None]
    if rng.random() < 0.4:
        wave = np.sin((y + rng.uniform(2, 6) * np.sin(x / rng.uniform(4, 12))) * (2 * np.pi / rng.uniform(5, 14)))
        out += np.where(wave > 0.8, rng.uniform(-40, 40), 0)[..., None] * rng.uniform(0, 1, 3).astype(np.float32)
    return np.clip(out, 0, 255).astype(np.uint8)


def cover(crop: Array, rng: np.random.Generator) -> Array:
    """A patch over some part of the face: a finger, a stamp, a glint."""
    size = len(crop)
    half = rng.uniform(0.05, 0.18, 2) * size
    low = np.maximum(rng.uniform(0, size, 2) - half, 0).astype(int)
    high = (low + 2 * half).astype(int)
    out = crop.copy()
    colour = rng.integers(0, 256, 3)
    out[low[1] : high[1], low[0] : high[0]] = colour
    return out if rng.random() < 0.5 else cv2.addWeighted(out, 0.6, crop, 0.4, 0)


def tight(crop: Array, rng: np.random.Generator) -> Array:
    """A photo that ends close to the face: alignment fills what is missing with black."""
    size = len(crop)
    out = crop.copy()
    low, high = (rng.uniform(0, 0.22, 4) * (rng.random(4) < 0.4) * size).astype(int).reshape(2, 2)
    out[: low[1]], out[size - high[1] :] = 0, 0
    out[:, : low[0]], out[:, size - high[0] :] = 0, 0
    return out


def glasses(crop: Array, rng: np.random.Generator) -> Array:
    """Drawn spectacles, some tinted."""
    size = len(crop)
    out = crop.copy()
    eyes = ARCFACE[:2] * size / 112 + rng.normal(0, 0.012 * size, (2, 2))
    colour = tuple(int(c) for c in rng.integers(0, 90) + rng.integers(0, 30, 3))
    axes = (int(size * rng.uniform(0.11, 0.15)), int(size * rng.uniform(0.07, 0.12)))
    thick = max(1, round(size / 112 * rng.uniform(0.8, 3)))
    for x, y in eyes:
        centre = (int(x), int(y + 0.02 * size))
        if rng.random() < 0.5:
            cv2.ellipse(out, centre, axes, 0, 0, 360, colour, thick, cv2.LINE_AA)
        else:
            corner = (centre[0] - axes[0], centre[1] - axes[1]), (centre[0] + axes[0], centre[1] + axes[1])
            cv2.rectangle(out, *corner, colour, thick, cv2.LINE_AA)
    bridge = [(int(eyes[0][0] + axes[0]), int(eyes[0][1])), (int(eyes[1][0] - axes[0]), int(eyes[1][1]))]
    cv2.line(out, *bridge, colour, thick, cv2.LINE_AA)
    if rng.random() < 0.25:
        shade = out.copy()
        for x, y in eyes:
            cv2.ellipse(shade, (int(x), int(y + 0.02 * size)), axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
        out = cv2.addWeighted(shade, rng.uniform(0.3, 0.9), out, 0.5, 0) if rng.random() < 0.3 else out
    return out


CHANCES = (
    (glasses, 0.05),
    (light, 0.12),
    (tone, 0.75),
    (grey, 0.15),
    (cover, 0.06),
    (tight, 0.15),
    (blur, 0.15),
    (printed, 0.08),
    (small, 0.25),
    (noise, 0.18),
    (compressed, 0.22),
)


def augment(crop: Array, rng: np.random.Generator) -> Array:
    """Each change with its own chance; about one crop in ten stays as it is."""
    if rng.random() < 0.08:
        return crop
    for (change, chance), drawn in zip(CHANCES, rng.random(len(CHANCES)), strict=True):
        if drawn < chance:
            crop = change(crop, rng)
    return crop
