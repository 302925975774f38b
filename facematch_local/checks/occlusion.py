"""What covers the face: sunglasses, a hat, a mask (codes 7, 8, 9).

Where there is an occlusion head, the pack's own or a lent one, the measure is its probability; without one, that
of `occlusion_linear`.
"""

from __future__ import annotations

from typing import Final

from facematch_local.checks.base import CLASSICAL, HEAD, NO_FACE, Measure, Subject

# Below this the crop is blown up more than twice and shows nothing of a frame or a hem.
_LEAST_EYE_DISTANCE: Final = 10.0
# A cap cannot be told from a forehead when the picture ends at the brows: so many inter-eye distances above
# the eyes must be inside.
_HEADROOM: Final = 0.75


def sunglasses(subject: Subject) -> Measure:
    """Probability that dark glasses hide the eyes, 0 to 1; clear glasses are none."""
    return _measure(subject, "sunglasses")


def hat(subject: Subject) -> Measure:
    """Probability that something covers the head above the brows, 0 to 1; hair is nothing."""
    if subject.face is not None:
        above = float(subject.face.eye_midpoint[1]) / max(subject.face.inter_eye_distance, 1.0)
        if above < _HEADROOM:
            return Measure.not_assessed("the picture ends at the brows", method=_method(subject))
    return _measure(subject, "hat")


def mask(subject: Subject) -> Measure:
    """Probability that something covers mouth and nose, 0 to 1; a beard is nothing."""
    return _measure(subject, "mask")


def _measure(subject: Subject, kind: str) -> Measure:
    method = _method(subject)
    if subject.face is None or subject.head_crop is None:
        return Measure.not_assessed(NO_FACE, method=method)
    if subject.face.inter_eye_distance < _LEAST_EYE_DISTANCE:
        return Measure.not_assessed("the face has too few pixels", method=method)
    if subject.occlusion is not None:
        scores = subject.occlusion
        value = {"sunglasses": scores.sunglasses, "hat": scores.head_covering, "mask": scores.mask}[kind]
    else:
        value = subject.linear_occlusion[kind]
    return Measure(value, method=method)


def _method(subject: Subject) -> str:
    return CLASSICAL if subject.heads.occlusion is None else HEAD
