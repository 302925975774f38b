"""Cards on a background, light, and scenes with a second face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.photo import Pixels
from facematch_local.synthetic.pixels import fitted_to, to_uint8


def on_background(
    card: Pixels, background: Pixels, rng: np.random.Generator, share: float = 0.6, tilt: float = 0.12
) -> tuple[Pixels, NDArray[np.float32]]:
    """A photo of a card that lies on, or is held before, a background.

    Args:
        card: the flat card.
        background: the photo around it; the result has its size.
        rng: decides position, rotation and perspective.
        share: width of the card over width of the photo.
        tilt: largest move of a corner by the perspective, in card widths.

    Returns:
        The photo, and the corners of the card (4, 2) float32, clockwise from its top left.
    """
    import cv2

    height, width = background.shape[:2]
    size = share * width
    scale = min(size / card.shape[1], 0.92 * height / card.shape[0])
    w, h = card.shape[1] * scale, card.shape[0] * scale
    corners = np.array([(-w, -h), (w, -h), (w, h), (-w, h)], np.float64) / 2
    corners += rng.uniform(-tilt, tilt, (4, 2)) * w / 2
    angle = np.deg2rad(rng.normal(0, 7))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = corners @ turn.T
    spare = np.maximum((width, height) - np.ptp(corners, axis=0), 0)
    corners += (width, height) - corners.max(axis=0) - spare * rng.uniform(0.1, 0.9, 2)
    corners = corners.astype(np.float32)
    shape = _rounded(card.shape[0], card.shape[1], 0.035)
    # Shrinking by a warp alone would alias; bring the card near its size in the photo first.
    small = cv2.resize(card, (max(round(w), 8), max(round(h), 8)), interpolation=cv2.INTER_AREA)
    shape = np.asarray(cv2.resize(shape, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA), np.float32)
    edge = np.array([(0, 0), (small.shape[1], 0), (small.shape[1], small.shape[0]), (0, small.shape[0])], np.float32)
    matrix = cv2.getPerspectiveTransform(edge - 0.5, corners)
    warped = cv2.warpPerspective(small, matrix, (width, height), flags=cv2.INTER_LINEAR).astype(np.float32)
    alpha = cv2.warpPerspective(shape, matrix, (width, height), flags=cv2.INTER_LINEAR)[..., None]
    shadow = cv2.GaussianBlur(np.roll(alpha[..., 0], (3, 4), (0, 1)), (0, 0), max(width / 120, 1))[..., None]
    ground = background.astype(np.float32) * (1 - 0.45 * shadow)
    return to_uint8(ground * (1 - alpha) + warped * alpha), corners


def lit(
    photo: Pixels, rng: np.random.Generator, dim: float = 1.0, cast: tuple[float, float, float] = (1, 1, 1)
) -> Pixels:
    """The photo under uneven light, with sensor noise.

    Args:
        photo: the evenly lit photo.
        rng: decides direction and strength of the gradient and the noise.
        dim: brightness, 1 unchanged.
        cast: factors for B, G and R in linear light.
    """
    height, width = photo.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    direction = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(direction) * (x / width - 0.5) + np.sin(direction) * (y / height - 0.5)
    light = dim * (1 + rng.uniform(0.1, 0.5) * ramp)[..., None] * np.array(cast, np.float32)
    linear = (photo.astype(np.float32) / 255) ** 2.2 * light
    encoded = 255 * np.clip(linear, 0, 1) ** (1 / 2.2)
    return to_uint8(encoded + rng.normal(0, rng.uniform(1, 3), photo.shape))


def side_by_side(photo: Pixels, other: Pixels, factor: float) -> Pixels:
    """The photo with a second one on its right; the longer side of the second is `factor` of that of the first."""
    height, width = photo.shape[:2]
    second = fitted_to(other, round(max(height, width) * factor))
    canvas = np.full((max(height, second.shape[0]), width + second.shape[1], 3), 127, np.uint8)
    canvas[:height, :width] = photo
    canvas[: second.shape[0], width:] = second
    return canvas


def with_poster(photo: Pixels, other: Pixels, rng: np.random.Generator) -> Pixels:
    """The photo with a wall on its right and a framed picture of another person on it, a third to half as high."""
    import cv2

    height = photo.shape[0]
    picture = fitted_to(other, round(height * rng.uniform(0.33, 0.48)))
    edge = max(round(0.02 * height), 1)
    framed = cv2.copyMakeBorder(picture, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(30.0, 50.0, 70.0))
    wall = np.full((height, framed.shape[1] + 2 * edge, 3), rng.integers(90, 230, 3), np.uint8)
    wall[edge : edge + framed.shape[0], edge : edge + framed.shape[1]] = framed
    return np.concatenate([photo, wall], axis=1)


def on_shirt(photo: Pixels, other: Pixels, rng: np.random.Generator) -> Pixels:
    """The photo with cloth below it and a one-colour print of another person on it, a third to half as wide."""
    width = photo.shape[1]
    picture = fitted_to(other, round(width * rng.uniform(0.33, 0.48)))
    share = picture.mean(axis=2, keepdims=True) / 255
    cloth, ink = rng.uniform(150, 255, 3), rng.uniform(0, 80, 3)
    shirt = np.empty((round(1.2 * picture.shape[0]), width, 3))
    shirt[:] = cloth
    top, left = round(0.1 * picture.shape[0]), (width - picture.shape[1]) // 2
    shirt[top : top + picture.shape[0], left : left + picture.shape[1]] = cloth * share + ink * (1 - share)
    return np.concatenate([photo, to_uint8(shirt)])


def _rounded(height: int, width: int, radius: float) -> NDArray[np.float32]:
    """(height, width) float32: 1 inside a rectangle with rounded corners that fills the array, 0 outside."""
    r = radius * width
    y, x = np.mgrid[0:height, 0:width] + 0.5
    dx = np.maximum(np.maximum(r - x, x - (width - r)), 0)
    dy = np.maximum(np.maximum(r - y, y - (height - r)), 0)
    return np.asarray(np.clip(r - np.hypot(dx, dy) + 0.5, 0, 1), np.float32)
