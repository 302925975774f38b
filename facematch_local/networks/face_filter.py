"""The face filter: rejects false positives of the detector.

Convention `confirmation-1`:

Input `face`, uint8 (N, 64, 64, 3), BGR: the square of 1.4 times the longer side of the face box around its centre, not
rotated. Outside the photo its border pixels are repeated.
Input `detector`, float32 (N, 1): the detector's confidence, 0 to 1.
Output `scores`, float32 (N, 1): probability that the box contains a face, given both inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.photo import Pixels
from facematch_local.imaging.resampling import warp
from facematch_local.networks.base import Network

FACE_FILTER_SIZE, FACE_FILTER_SCALE = 64, 1.4


class FaceFilterNetwork(Network):
    """Rejects boxes that do not contain a face. Safe to share between threads."""

    TASK = "face_filter"
    CONVENTION = "confirmation-1"
    CROPS: ClassVar[Mapping[str, int]] = {"face": FACE_FILTER_SIZE}
    NUMBERS = ("detector",)
    GIVES: ClassVar[Mapping[str, list[int]]] = {"scores": [1]}

    def works(self) -> bool:
        """Whether the network returns a probability for a blank photo."""
        blank, box = np.full((32, 32, 3), 127, np.uint8), np.array([8, 8, 24, 24], np.float32)
        return 0 <= self.confirm(blank, box, 0.5) <= 1

    def confirm(self, pixels: Pixels, box: NDArray[np.float32], score: float) -> float:
        """Probability, 0 to 1, that a box contains a face: one forward pass.

        Args:
            pixels: HxWx3 uint8 BGR photo.
            box: (4,) left, top, right, bottom in pixels of the photo.
            score: the detector's confidence, 0 to 1.
        """
        inputs = {"face": face_filter_crop(pixels, box)[None], "detector": np.array([[score]], np.float32)}
        (scores,) = self._session.run(["scores"], inputs)
        return float(scores[0, 0])


def face_filter_crop(pixels: Pixels, box: NDArray[np.float32]) -> Pixels:
    """The crop of convention `confirmation-1`: 64x64x3 uint8 BGR from an HxWx3 uint8 BGR photo."""
    import cv2

    left, top, right, bottom = (float(edge) for edge in box)
    scale = FACE_FILTER_SIZE / (FACE_FILTER_SCALE * max(right - left, bottom - top, 1.0))
    half = FACE_FILTER_SIZE / 2
    x, y = half - scale * (left + right) / 2, half - scale * (top + bottom) / 2
    return warp(pixels, np.array([[scale, 0, x], [0, scale, y]]), FACE_FILTER_SIZE, border=cv2.BORDER_REPLICATE)
