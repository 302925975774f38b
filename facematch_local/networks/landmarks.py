"""The landmark network: corrects the detector's five landmarks of a face.

Convention `landmarks-1`:

Input `face`, uint8 (N, 80, 80, 3), BGR: the face warped by the similarity transform (least squares, Umeyama 1991) that
maps the detector's landmarks to `LANDMARK_TEMPLATE`. The eyes are 22 pixels apart and the crop contains the whole face.
Outside the photo its border pixels are repeated.
Output `points`, float32 (N, 5, 2): x and y of the five landmarks in pixels of the crop.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.faces.alignment import ARCFACE_TEMPLATE, distinct_landmarks, similarity_transform
from facematch_local.imaging.photo import Pixels
from facematch_local.imaging.resampling import warp
from facematch_local.networks.base import Network

LANDMARK_SIZE: Final = 80
# The ArcFace template scaled by 0.625, with a margin of 5 pixels: the 112x112 crop and 8 of its pixels on each side.
LANDMARK_TEMPLATE: Final[tuple[tuple[float, float], ...]] = tuple(
    (0.625 * x + 5.0, 0.625 * y + 5.0) for x, y in ARCFACE_TEMPLATE
)
# Largest correction of a landmark in pixels of the crop, half the distance between the eyes. A larger correction means
# that network and detector disagree about where the face is; the detector's landmarks stay.
_LARGEST_CORRECTION: Final = 11.0


class LandmarkNetwork(Network):
    """Corrects landmarks. Safe to share between threads.

    The landmarks of a detector that is small enough to search whole photos are rough. A second pass over the face alone
    costs about a millisecond.
    """

    TASK = "landmarks"
    CONVENTION = "landmarks-1"
    CROPS: ClassVar[Mapping[str, int]] = {"face": LANDMARK_SIZE}
    GIVES: ClassVar[Mapping[str, list[int]]] = {"points": [5, 2]}

    def works(self) -> bool:
        """Whether the network returns finite landmarks for a blank crop."""
        points = self.predict(np.full((LANDMARK_SIZE, LANDMARK_SIZE, 3), 127, np.uint8))
        return points.shape == (5, 2) and bool(np.isfinite(points).all())

    def predict(self, crop: Pixels) -> NDArray[np.float32]:
        """Landmarks in one crop, 80x80x3 uint8 BGR: (5, 2) float32 in its pixels."""
        (points,) = self._session.run(["points"], {"face": crop[None]})
        found: NDArray[np.float32] = points[0]
        return found

    def locate(self, pixels: Pixels, landmarks: NDArray[np.float32], box: NDArray[np.float32]) -> NDArray[np.float32]:
        """Correct the landmarks of a face in an HxWx3 uint8 BGR photo: one forward pass.

        Args:
            pixels: the photo.
            landmarks: (5, 2) landmarks of the detector in pixels of the photo.
            box: (4,) left, top, right, bottom of the face in pixels of the photo.

        Returns:
            (5, 2) float32 in pixels of the photo; the given landmarks if their arrangement is not that of a face, or
            if the correction exceeds the limit.
        """
        import cv2

        given = distinct_landmarks(landmarks, box)
        matrix = similarity_transform(given, np.asarray(LANDMARK_TEMPLATE, np.float64))
        if float(np.hypot(*matrix[0, :2]) * np.ptp(given, axis=0).max()) < 1.0:  # all in one pixel of the crop
            return landmarks
        points = self.predict(warp(pixels, matrix, LANDMARK_SIZE, border=cv2.BORDER_REPLICATE))
        correction = np.linalg.norm(points - (given @ matrix[:, :2].T + matrix[:, 2]), axis=1)
        if not (correction <= _LARGEST_CORRECTION).all():  # this form also holds for NaN
            return landmarks
        found: NDArray[np.float32] = ((points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T).astype(np.float32)
        return found
