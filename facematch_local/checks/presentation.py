"""Was the face photographed from a print or a screen (code 10, as a sign of fraud)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.base import CLASSICAL, HEAD, NO_FACE, Measure, Subject
from facematch_local.heads import Pixels

_SIDE: Final = 256
_LEAST_SIDE: Final = 96
# Below this frequency (cycles per pixel) a face has structure of its own.
_LOWEST: Final = 0.1


def recapture(subject: Subject) -> Measure:
    """How much the face looks like a picture of a print or a screen.

    With a recapture head: the probability that it is not live, 0 to 1. Without one: the strongest periodic
    pattern in the spectrum of the face, as the natural logarithm of its amplitude over what is usual at that
    frequency; skin has none, a halftone, a pixel grid and their moire have (Garcia and de Queiroz, "Face-spoofing
    2D-detection based on Moire-pattern analysis", IEEE TIFS 10, 2015). A blurred recapture shows none.
    """
    method = CLASSICAL if subject.heads.recapture is None else HEAD
    if subject.face is None:
        return Measure.not_assessed(NO_FACE, method=method)
    if subject.recapture is not None:
        return Measure(1.0 - subject.recapture.live, method=method)
    patch = _middle(subject.photo.pixels, subject.face.box)
    if patch is None:
        return Measure.not_assessed("the photo has too few pixels", "ln", method)
    return Measure(strongest_period(patch), "ln", method=method)


def strongest_period(grey: NDArray[np.float32]) -> float:
    """The strongest peak of the spectrum of a square grey picture over its surroundings, natural logarithm."""
    import cv2

    side = grey.shape[0]
    window = np.hanning(side).astype(np.float32)
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2((grey - grey.mean()) * window[:, None] * window[None, :])))
    logarithm = np.log(spectrum + 1.0).astype(np.float32)
    # What is usual around a frequency, the peak's own few bins among many others.
    usual = cv2.blur(logarithm, (17, 17))
    excess = cv2.blur(logarithm, (2, 2)) - usual
    frequency = np.fft.fftshift(np.fft.fftfreq(side))
    fx, fy = np.abs(frequency)[None, :], np.abs(frequency)[:, None]
    # Edges of the JPEG grid, and of the picture, lie on the axes.
    asked = (np.hypot(fx, fy) > _LOWEST) & (fx > 3 / side) & (fy > 3 / side)
    return float(excess[asked].max())


def _middle(pixels: Pixels, box: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The square at the middle of the box, not resampled: that would destroy what is looked for."""
    import cv2

    height, width = pixels.shape[:2]
    side = min(_SIDE, height, width)
    if side < _LEAST_SIDE:
        return None
    left = int(np.clip(round(float(box[0] + box[2]) / 2 - side / 2), 0, width - side))
    top = int(np.clip(round(float(box[1] + box[3]) / 2 - side / 2), 0, height - side))
    patch = pixels[top : top + side, left : left + side]
    return cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY).astype(np.float32)
