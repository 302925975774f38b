"""Whether the face is large enough (code 11)."""

from __future__ import annotations

from facematch_local.checks.check import NO_FACE, Measure
from facematch_local.checks.examination import Examination


def inter_eye_distance(examination: Examination) -> Measure:
    """Inter-eye distance in pixels of the original photo (ISO/IEC 29794-5), corrected for a turned head."""
    if examination.face is None:
        return Measure.not_assessed(NO_FACE, "px")
    return Measure(examination.face.inter_eye_distance / examination.photo.scale, "px")


def head_size(examination: Examination) -> Measure:
    """Height of the face box over height of the photo (OFIQ: HeadSize); above 1 if the photo cuts the face."""
    if examination.face is None:
        return Measure.not_assessed(NO_FACE)
    return Measure(examination.face.height / examination.photo.height)
