"""Alignment of a face by its five landmarks.

Points are (N, 2) arrays of x and y. The five landmarks, in the order of insightface: left eye, right eye, nose tip,
left mouth corner, right mouth corner. Left and right are the viewer's.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Positions of the landmarks in the recogniser's 112x112 crop (insightface.utils.face_align.arcface_dst).
ARCFACE_TEMPLATE: Final[tuple[tuple[float, float], ...]] = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)

# Typical positions of the landmarks in SCRFD's box around an upright face, in shares of width and height.
_USUAL_PLACES: Final = ((0.30, 0.38), (0.70, 0.38), (0.50, 0.57), (0.34, 0.77), (0.66, 0.77))


def similarity_transform(source: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
    """Similarity transform (rotation, scale, translation) that maps `source` closest to `target`.

    Least squares in closed form (Umeyama 1991); with points of the plane as complex numbers it is a linear regression.

    Args:
        source: (N, 2) points that do not all coincide.
        target: (N, 2) points.

    Returns:
        2x3 float64 matrix.
    """
    origin, goal = source.mean(axis=0), target.mean(axis=0)
    first = (source - origin) @ np.array([1, 1j])
    second = (target - goal) @ np.array([1, 1j])
    factor = complex(np.vdot(first, second)) / float(np.vdot(first, first).real)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.hstack([turn, (goal - turn @ origin)[:, None]])


def arcface_template(size: int) -> NDArray[np.float64]:
    """(5, 2) float64: positions of the landmarks in a crop of `size` pixels, by insightface's rule.

    A multiple of 112 scales the template. Any other size, such as a multiple of 128, scales it with a margin of 8 in
    128 at the left and right.
    """
    unit, margin = (112, 0.0) if size % 112 == 0 else (128, 8.0)
    template: NDArray[np.float64] = (np.array(ARCFACE_TEMPLATE) + np.array([margin, 0.0])) * (size / unit)
    return template


def distinct_landmarks(landmarks: NDArray[Any], box: NDArray[Any]) -> NDArray[np.float64]:
    """The landmarks; their typical positions in the box if they coincide and define neither scale nor rotation.

    Args:
        landmarks: (5, 2) in pixels of the photo.
        box: (4,) left, top, right, bottom in pixels of the photo.

    Returns:
        (5, 2) float64.
    """
    points = landmarks.astype(np.float64)
    if np.ptp(points, axis=0).max() >= 1.0:
        return points
    corner = box[:2].astype(np.float64)
    usual: NDArray[np.float64] = corner + np.array(_USUAL_PLACES) * np.maximum(box[2:] - corner, 1.0)
    return usual
