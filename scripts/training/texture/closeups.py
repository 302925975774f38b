"""Simulated close views, at the resolution of the camera: of the world itself, of a display, of a print.

A small square is simulated finely: for each sample of the sensor, three for each pixel each way, the point of the
display or paper is computed, and there the sub-pixels or ink dots are evaluated. Moire arises from the sampling, as it
does in a camera.
"""

from __future__ import annotations

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng
from scripts.training.recapture.surfaces import gamut, halftone, subpixels
from scripts.training.texture.camera import photographed

SAMPLES = 3  # samples of the sensor for each pixel, each way
LAYOUTS = ("stripe", "stripe", "stripe_turned", "delta", "pentile", "fine")
INKS = ("am_colour", "am_colour", "fm", "fm", "fm", "photo_paper", "am_grey", "line_screen")


def world(content: Array, side: int, rng: Rng) -> Array:
    """The thing itself: side x side x 3 uint8 BGR of a photo (HxWx3 uint8 BGR), made smaller so that it is sharp."""
    scale = max(float(np.exp(rng.uniform(np.log(0.3), np.log(1.0)))), (side + 2) / min(content.shape[:2]))
    sharp = cv2.resize(
        content, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    part = _part(sharp, side, rng)
    light = (part / np.float32(255)) ** np.float32(2.2)
    return photographed(_lens(light, 1, rng), rng)


def display(content: Array, side: int, rng: Rng) -> Array:
    """A display that shows the photo: side x side x 3 uint8 BGR."""
    # Pixels of the camera for each of the display. In most real recaptures the grid is just fine enough to be seen, and
    # faint.
    pitch = float(np.exp(rng.uniform(np.log(1.6), np.log(6.0)) if rng.random() < 0.6 else rng.uniform(-0.9, 1.6)))
    x, y = _seen_points(side, rng)
    x, y = x / np.float32(pitch), y / np.float32(pitch)
    shown = _shown(content, (x.max(), y.max()), float(np.exp(rng.uniform(np.log(0.4), np.log(1.6)))), rng)
    how = cv2.INTER_NEAREST if pitch > 1.3 else cv2.INTER_LINEAR
    light = cv2.remap(shown, x - np.float32(0.5), y - np.float32(0.5), how, borderMode=cv2.BORDER_REFLECT)
    light = (light.astype(np.float32) / 255) ** np.float32(rng.uniform(1.8, 2.4))
    family = str(rng.choice(LAYOUTS))
    if family != "fine":
        faint = np.float32(np.exp(rng.uniform(np.log(0.08), 0)))
        light = light * (1 + faint * (subpixels(x, y, family, rng) - 1))
    light = light * np.float32(rng.uniform(0.5, 1.3)) + np.float32(rng.uniform(0, 0.03))
    light = light * (1 + rng.uniform(-0.12, 0.12, 3).astype(np.float32))
    light = cv2.resize(_lens(light, SAMPLES, rng), (side, side), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.4:  # the display's refresh against the rows of the shutter
        rows = np.arange(side, dtype=np.float32)[:, None, None]
        light = light * (
            1 + np.float32(rng.uniform(0.03, 0.3)) * np.sin(rows * rng.uniform(0.02, 0.3) + rng.uniform(0, 6))
        )
    if rng.random() < 0.3:  # light of the room on the glass
        light = light + np.linspace(*rng.uniform(0, 0.25, 2), side, dtype=np.float32)[None, :, None]
    return photographed(light.astype(np.float32), rng)


def paper(content: Array, side: int, rng: Rng) -> Array:
    """A print of the photo: side x side x 3 uint8 BGR."""
    family = str(rng.choice(INKS))
    x, y = _seen_points(side, rng)
    zoom = float(np.exp(rng.uniform(np.log(1.0), np.log(5.0))))  # pixels of the camera for each of the printed photo
    u, v = x / np.float32(zoom), y / np.float32(zoom)
    ink = gamut(_shown(content, (u.max(), v.max()), 1.0, rng).astype(np.float32), family, rng)
    seen = cv2.remap(
        ink, u, v, cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    if rng.random() < 0.75:
        seen = halftone(seen, x, y, family, rng)
    for finest in (1.0, 3.0):  # the tooth of the paper, fine and coarse
        size = tuple(int(s / (finest * rng.uniform(1, 4))) + 2 for s in seen.shape[:2])
        tooth = cv2.resize(rng.standard_normal(size, dtype=np.float32), seen.shape[1::-1])
        seen = seen * (1 + np.float32(rng.uniform(0, 0.06)) * tooth[..., None])
    seen = np.clip(seen * np.float32(rng.uniform(0.6, 0.95)) + np.float32(rng.uniform(0, 40)), 0, 255)
    light = (seen / 255) ** np.float32(2.2) * np.exp(rng.normal(0, 0.1, 3)).astype(np.float32)
    light = cv2.resize(_lens(light, SAMPLES, rng), (side, side), interpolation=cv2.INTER_AREA)
    return photographed(light, rng)


def _seen_points(side: int, rng: Rng) -> tuple[Array, Array]:
    """Points of the plane, in pixels of the camera, that each sample sees; from 0 upwards."""
    count = side * SAMPLES
    row, column = np.mgrid[:count, :count].astype(np.float32)
    row, column = (row + 0.5) / SAMPLES, (column + 0.5) / SAMPLES
    angle = np.deg2rad(rng.normal(0, 8) + 90 * rng.integers(0, 2))
    tilt = rng.normal(0, 0.12, 2) / side
    depth = 1 + np.float32(tilt[0]) * (column - side / 2) + np.float32(tilt[1]) * (row - side / 2)
    x = (np.float32(np.cos(angle)) * column - np.float32(np.sin(angle)) * row) / depth
    y = (np.float32(np.sin(angle)) * column + np.float32(np.cos(angle)) * row) / depth
    return x - x.min() + 1, y - y.min() + 1


def _shown(content: Array, reach: tuple[float, float], scale: float, rng: Rng) -> Array:
    """A part of the photo at a scale, at least as large as the points reach (x, y)."""
    wanted = (int(reach[0]) + 3, int(reach[1]) + 3)
    scale = max(scale, wanted[0] / content.shape[1], wanted[1] / content.shape[0])
    size = (max(int(content.shape[1] * scale) + 1, wanted[0]), max(int(content.shape[0] * scale) + 1, wanted[1]))
    large = cv2.resize(content, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (int(rng.integers(0, size[i] - wanted[i] + 1)) for i in range(2))
    return large[top : top + wanted[1], left : left + wanted[0]]


def _part(image: Array, side: int, rng: Rng) -> Array:
    top, left = (int(rng.integers(0, image.shape[i] - side + 1)) for i in range(2))
    return image[top : top + side, left : left + side]


def _lens(light: Array, samples: int, rng: Rng) -> Array:
    """Blur of the lens; at times out of focus."""
    sigma = rng.uniform(0.25, 0.8) if rng.random() < 0.7 else rng.uniform(0.8, 2.2)
    return cv2.GaussianBlur(light, (0, 0), samples * sigma)
