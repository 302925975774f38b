"""Blur and noise of the face (code 10, as quality, not as a sign of fraud)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.check import NO_FACE, Measure
from facematch_local.checks.examination import Examination

_LEAST_SIDE: Final = 16
_LENGTH: Final = 9
_NOISE_WIDTH: Final = 1.0  # standard deviation in pixels


def blur(examination: Examination) -> Measure:
    """Share of the face's local contrast that remains after a further blur, 0 (sharp) to 1 (no contrast to lose).

    The perceptual blur metric of Crete et al., "The blur effect: perception and estimation with a new no-reference
    perceptual blur metric" (SPIE 6492, 2007), on the face with its eyes at most 48 pixels apart. Detail that
    recognition cannot see at that size does not count, and a small photo does not count as blurred.
    `skimage.measure.blur_effect` computes the same metric with other borders and another kernel. The limit was chosen
    for this version, which takes a seventh of the time.
    """
    grey = examination.face_grey
    if grey is None or min(grey.shape) < _LEAST_SIDE:
        return Measure.not_assessed(NO_FACE if grey is None else "the face has too few pixels")
    remaining = []
    for axis in (0, 1):
        softer = _averaged(grey, axis)
        steps, softened = np.abs(np.diff(grey, axis=axis)), np.abs(np.diff(softer, axis=axis))
        lost = np.maximum(steps - softened, 0)
        total = float(steps.sum())
        remaining.append(1 - float(lost.sum()) / total if total > 0 else 1.0)
    # Motion blurs only one direction, so take the worse one.
    return Measure(max(remaining))


def edge_blur(examination: Examination) -> Measure:
    """Share of the contrast of the face's strongest edges that remains after a further blur, 0 (sharp) to 1.

    The principle of Crete et al. (see `blur`) for faces in the dark, where many small steps of noise make a moved face
    look sharp to a sum over all steps. A Gaussian blur of one pixel removes the finest noise, and the fourth power
    weights the steps, so that the edges of eyes, nose and mouth decide.
    """
    import cv2

    grey = examination.face_grey
    if grey is None or min(grey.shape) < _LEAST_SIDE:
        return Measure.not_assessed(NO_FACE if grey is None else "the face has too few pixels")
    smooth = cv2.GaussianBlur(grey, (0, 0), _NOISE_WIDTH).astype(np.float32, copy=False)
    remaining = []
    for axis in (0, 1):
        edges = _power_of_steps(smooth, axis)
        remaining.append((_power_of_steps(_averaged(smooth, axis), axis) / edges) ** 0.25 if edges > 0 else 1.0)
    return Measure(max(remaining))


def noise(examination: Examination) -> Measure:
    """Standard deviation of the noise on the face, in grey levels of 255; the eyes are at most 48 pixels apart.

    Immerkær, "Fast noise variance estimation" (CVIU 64, 1996), with the median instead of the mean, for which edges of
    the face are outliers.
    """
    import cv2

    grey = examination.face_grey
    if grey is None or min(grey.shape) < _LEAST_SIDE:
        return Measure.not_assessed(NO_FACE if grey is None else "the face has too few pixels", "grey levels")
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = cv2.filter2D(grey, cv2.CV_32F, kernel)[1:-1, 1:-1]
    # The kernel multiplies the standard deviation by 6; 0.6745 is the upper quartile of the normal distribution.
    return Measure(float(np.median(np.abs(response))) / 6 / 0.6745, "grey levels")


def _power_of_steps(grey: NDArray[np.float32], axis: int) -> float:
    """Sum of the fourth powers of the steps between neighbours."""
    steps = np.diff(grey, axis=axis)
    return float(np.square(np.square(steps)).sum(dtype=np.float64))


def _averaged(grey: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    import cv2

    size = (1, _LENGTH) if axis == 0 else (_LENGTH, 1)
    return cv2.blur(grey, size).astype(np.float32, copy=False)
