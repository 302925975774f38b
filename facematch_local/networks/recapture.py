"""The recapture network: distinguishes a live face from a print and a screen.

Convention `recapture-1`:

Input `wide`, uint8 (N, 80, 80, 3), BGR: the square of 2.7 times the longer side of the face box around its centre,
which shows glare, tone, bezel, paper edge or hand. A square that extends beyond the photo is moved inside, and shrunk
if the photo is smaller.
Input `period`, float32 (N, 1): the strongest period at the face, natural logarithm, measured by
`facematch_local.imaging.spectrum.period_of` at the photo's own resolution, because resampling removes halftone, pixel
grid and moire; 0 if the photo has too few pixels.
Output `scores`, float32 (N, 3): probabilities of live, print and screen given both inputs; they sum to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.photo import Pixels
from facematch_local.networks.base import Network, resized, square

RECAPTURE_SIZE, RECAPTURE_SCALE = 80, 2.7


@dataclass(frozen=True, slots=True)
class RecaptureScores:
    """Probabilities of a live face, a picture of a print and a picture of a screen, 0 to 1 each; they sum to 1."""

    live: float
    print: float
    screen: float


class RecaptureNetwork(Network):
    """Distinguishes a live face from a print and a screen. Safe to share between threads."""

    TASK = "recapture"
    CONVENTION = "recapture-1"
    CROPS: ClassVar[Mapping[str, int]] = {"wide": RECAPTURE_SIZE}
    NUMBERS = ("period",)
    GIVES: ClassVar[Mapping[str, list[int]]] = {"scores": [len(RecaptureScores.__slots__)]}

    def predict(self, crop: Pixels, period: float | None) -> RecaptureScores:
        """Score one face: one forward pass.

        Args:
            crop: 80x80x3 uint8 BGR from `recapture_crop`.
            period: the strongest period at the face, natural logarithm; None if it could not be measured.
        """
        inputs = {"wide": crop[None], "period": np.array([[period or 0.0]], np.float32)}
        (scores,) = self._session.run(["scores"], inputs)
        live, printed, screen = (float(score) for score in scores[0])
        return RecaptureScores(live, printed, screen)


def recapture_crop(pixels: Pixels, box: NDArray[np.float32]) -> Pixels:
    """The crop of convention `recapture-1`: 80x80x3 uint8 BGR from an HxWx3 uint8 BGR photo.

    Args:
        pixels: the photo at its own resolution.
        box: (4,) left, top, right, bottom of the face in pixels of the photo.
    """
    centre = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    side = max(float(box[2] - box[0]), float(box[3] - box[1]), 1.0)
    return resized(square(pixels, centre, RECAPTURE_SCALE * side), RECAPTURE_SIZE)
