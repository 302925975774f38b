"""Exposure of the face (code 10, as quality): shares of blown and black pixels, and the dynamic range.

The three measures are the native measures of ISO/IEC 29794-5 and of its reference software OFIQ (over-exposure
prevention, under-exposure prevention, dynamic range). The region differs: an ellipse from brow to chin instead of the
landmarked region, for which this library has too few landmarks.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.check import NO_FACE, Measure
from facematch_local.checks.examination import Examination

# Ranges of the luminance histogram in ISO/IEC 29794-5: 0 to 25 is black, 247 to 255 is blown.
BLACK: Final = slice(0, 26)
BLOWN: Final = slice(247, 256)


def over_exposure(examination: Examination) -> Measure:
    """Share of the face with a luminance of 247 or more of 255, 0 to 1. OFIQ: 1 - OverExposurePrevention."""
    return _share(examination, BLOWN)


def under_exposure(examination: Examination) -> Measure:
    """Share of the face with a luminance of 25 or less of 255, 0 to 1. OFIQ: 1 - UnderExposurePrevention."""
    return _share(examination, BLACK)


def dynamic_range(examination: Examination) -> Measure:
    """Entropy of the face's luminance histogram, 0 to 8 bits. OFIQ: DynamicRange."""
    histogram = examination.face_luminance
    if histogram is None:
        return Measure.not_assessed(NO_FACE, "bit")
    present = histogram[histogram > 0]
    return Measure(float(-(present * np.log2(present)).sum()), "bit")


def _share(examination: Examination, bins: slice) -> Measure:
    histogram: NDArray[np.float64] | None = examination.face_luminance
    return Measure.not_assessed(NO_FACE) if histogram is None else Measure(float(histogram[bins].sum()))
