"""Is the document a grey copy (code 2). A colour copy can't be told this way."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.base import NO_FACE, Measure, Subject
from facematch_local.checks.rectify import portrait_corners, rectified, shown
from facematch_local.heads import Pixels

_WIDTH: Final = 180
_PORTRAIT_WIDTH: Final = 120
_LINEAR: Final = (np.arange(256, dtype=np.float32) / 255) ** 2.2  # light, 0 to 1, of a pixel value
_BRIGHTNESS_STEPS: Final = 8
_LEAST_PIXELS: Final = 100


def colour(subject: Subject) -> Measure:
    """Colour left in the document when the light's own is taken away, 0 (a grey copy) to about 0.3.

    Under one light all greys have its colour, however that changes across the card; a camera's tone curve
    makes the dark ones differ from the pale ones. So each pixel is divided by the brightest around it, and
    what is then typical of its brightness is subtracted. The rest is the card's own colour. Its third quartile counts:
    a card may have a grey portrait on coloured ground or pale ground under a coloured portrait, a copy has neither.
    It is taken of the document where it was found and of the portrait with what is next to it, and the smaller one
    counts: where the outline is wrong, what lies around the copy has colours.
    """
    if subject.face is None:
        return Measure.not_assessed(NO_FACE)
    views = (subject.document.corners, _WIDTH), (portrait_corners(subject.face), _PORTRAIT_WIDTH)
    found = [_colour(subject.photo.pixels, corners, width) for corners, width in views]
    values = [value for value in found if value is not None]
    if not values:
        return Measure.not_assessed("the document is too dark or overexposed")
    return Measure(min(values))


def _colour(pixels: Pixels, corners: NDArray[np.float32], width: int) -> float | None:
    """Colour left between the corners, None where too little can be told."""
    residual, usable = _residual(pixels, corners, width)
    height, width = usable.shape
    inner = np.zeros_like(usable)
    inner[round(0.08 * height) : round(0.92 * height), round(0.08 * width) : round(0.92 * width)] = True
    told = residual[usable & inner]
    return float(np.percentile(told, 75)) if told.size >= _LEAST_PIXELS else None


def _residual(
    pixels: Pixels, corners: NDArray[np.float32], width: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Colour left by pixel of what lies between the corners, and where it can be told."""
    import cv2

    flat = rectified(pixels, corners, width)
    height, width = flat.shape[:2]
    brightest = np.maximum(np.maximum(flat[..., 0], flat[..., 1]), flat[..., 2])
    usable = (brightest < 250) & (brightest > 25)
    usable &= shown(pixels, corners, (width, height))
    linear = _LINEAR[cv2.GaussianBlur(flat, (0, 0), 0.8)]
    small = cv2.resize(linear, (80, max(80 * height // width, 8)), interpolation=cv2.INTER_AREA)
    light = cv2.GaussianBlur(cv2.dilate(small, np.ones((21, 21), np.uint8)), (0, 0), 8)
    light = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
    relative = cv2.pow(np.clip(linear / np.maximum(light, 1e-4), 1e-4, 1.2), 1 / 2.2)
    blue, green, red = (np.ascontiguousarray(relative[..., channel]).ravel() for channel in range(3))
    brightness = (blue + green + red) / 3
    opponents = (blue - green, red - green)
    known = usable.ravel()
    residual = np.zeros(height * width, np.float32)
    if known.any():
        steps = np.quantile(brightness[known], np.linspace(0, 1, _BRIGHTNESS_STEPS + 1)[1:-1])
        step = np.digitize(brightness, steps)
        for index in range(_BRIGHTNESS_STEPS):
            here = np.flatnonzero(step == index)
            typical = here[known[here]]
            if len(typical):
                residual[here] = np.hypot(*(opponent[here] - np.median(opponent[typical]) for opponent in opponents))
    return residual.reshape(height, width), usable
