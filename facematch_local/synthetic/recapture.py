"""Photos shown on a screen or printed, and photographed again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.photo import Pixels
from facematch_local.synthetic.pixels import jpeg, to_uint8


def screen_recapture(photo: Pixels, rng: np.random.Generator, bezel: bool = True) -> Pixels:
    """A photograph of a screen that shows the photo: sub-pixels, moire, glare, bezel, second lens, JPEG."""
    import cv2

    height, width = photo.shape[:2]
    # The panel has its own resolution; each of its pixels is three coloured stripes with black between.
    cells = int(rng.integers(300, 560))
    shown = cv2.resize(photo, (cells, max(round(cells * height / width), 2)), interpolation=cv2.INTER_AREA)
    factor = 3
    panel = np.kron(shown.astype(np.float32) / 255, np.ones((factor, factor, 1), np.float32)) ** 2.2
    stripes = np.zeros((factor, factor, 3), np.float32)
    for channel, column in ((2, 0), (1, 1), (0, 2)):
        stripes[: factor - 1, column, channel] = 1
    gain = (1 / stripes.mean(axis=(0, 1))).astype(np.float32)
    lattice = np.tile(stripes * gain, (shown.shape[0], shown.shape[1], 1))
    panel = panel * (1 + rng.uniform(0.5, 0.9) * (lattice - 1))
    if bezel:
        edge = round(0.04 * panel.shape[1])
        panel = np.pad(panel, ((edge, edge), (edge, edge), (0, 0)), constant_values=0.004)
        rim = round(edge * rng.uniform(0.5, 2.0))
        panel = np.pad(panel, ((rim, rim), (rim, rim), (0, 0)), constant_values=float(rng.uniform(0.05, 0.5)))
    return _second_camera(
        panel.astype(np.float32, copy=False),
        photo.shape[:2],
        rng,
        glare=rng.uniform(0.0, 0.25),
        lift=rng.uniform(0.0, 0.03),
    )


def print_recapture(photo: Pixels, rng: np.random.Generator, edge: bool = True) -> Pixels:
    """A photograph of a print of the photo: halftone screens, ink gamut, paper edge, second camera."""
    import cv2

    height, width = photo.shape[:2]
    side = 1200
    scale = side / max(height, width)
    large = cv2.resize(photo, (max(round(width * scale), 2), max(round(height * scale), 2)))
    inks = 1 - large.astype(np.float32) / 255
    y, x = np.mgrid[0 : inks.shape[0], 0 : inks.shape[1]].astype(np.float32)
    pitch = rng.uniform(4.5, 7.0)
    dots = np.empty_like(inks)
    for channel, degrees in enumerate((0, 75, 15)):
        angle = np.deg2rad(degrees + rng.uniform(-3, 3))
        u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
        screen = 0.5 + 0.25 * (np.cos(2 * np.pi * u / pitch) + np.cos(2 * np.pi * v / pitch))
        dots[..., channel] = 1 / (1 + np.exp(-(inks[..., channel] - screen) * 12))
    strength = rng.uniform(0.5, 1.0)
    covered = inks * (1 - strength) + dots * strength
    paper = np.array([0.93, 0.95, 0.96], np.float32) * rng.uniform(0.85, 1.0)
    printed = paper * (1 - covered * rng.uniform(0.82, 0.93))
    if edge:
        white = round(0.03 * side * rng.uniform(0.5, 2))
        printed = np.concatenate([np.broadcast_to(paper, (white, printed.shape[1], 3)), printed], axis=0)
        printed = np.concatenate([np.broadcast_to(paper, (printed.shape[0], white, 3)), printed], axis=1)
        rim = round(0.05 * side)
        desk = np.array([0.2, 0.3, 0.4], np.float32) * rng.uniform(0.3, 1.5)
        printed = np.pad(printed, ((rim, rim), (rim, rim), (0, 0)))
        mask = np.ones(printed.shape[:2], bool)
        mask[rim:-rim, rim:-rim] = False
        printed[mask] = desk
    return _second_camera(printed.astype(np.float32) ** 2.2, photo.shape[:2], rng, glare=0.0, lift=0.01)


def _second_camera(
    scene: NDArray[np.float32], shape: tuple[int, int], rng: np.random.Generator, glare: float, lift: float
) -> Pixels:
    """Photograph a flat scene (linear light, 0 to 1) slightly from the side, at the size of the original."""
    import cv2

    height, width = shape
    h, w = scene.shape[:2]
    source = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    target += rng.uniform(-0.025, 0.025, (4, 2)).astype(np.float32) * width
    # The lens passes about what the sensor resolves, no more; some of the grid survives as moire.
    blur = max(0.36 * w / width, 0.3)
    soft = cv2.GaussianBlur(scene, (0, 0), float(blur * rng.uniform(0.7, 1.2)))
    matrix = cv2.getPerspectiveTransform(source, target)
    seen = cv2.warpPerspective(soft, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(0.02, 0.02, 0.02))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, cy = rng.uniform(0, width), rng.uniform(0, height)
    spot = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (0.25 * width) ** 2))[..., None]
    tint = 1 + rng.uniform(-0.08, 0.08, 3)
    encoded = 255 * np.clip(seen * tint * rng.uniform(0.8, 1.1) + lift + glare * spot, 0, 1) ** (1 / 2.2)
    return jpeg(to_uint8(encoded + rng.normal(0, 1.5, encoded.shape)), int(rng.integers(75, 94)))
