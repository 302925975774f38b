"""What covers the face: sunglasses, a hat, a mask (codes 7, 8, 9).

Where there is an occlusion head, the pack's own or a lent one, the measure is its probability; without one, that
of `occlusion_linear`.
"""

from __future__ import annotations

import math
from typing import Final

from facematch_local.checks.base import CLASSICAL, HEAD, NO_FACE, Measure, Subject

# Pixels below which the crop shows nothing of a frame or a hem. The head takes many bare faces smaller than this for
# masked.
_LEAST_EYE_DISTANCE: Final = {HEAD: 8.0, CLASSICAL: 10.0}
# A cap cannot be told from a forehead when the picture ends at the brows: so many inter-eye distances above
# the eyes must be inside.
_HEADROOM: Final = 0.75
# With a mask the head sees little of the face and takes a fringe for a hem: 0.75 means there what 0.6 means without
# (masked and bare faces of the tuned half, looked at one by one). As a difference of logits.
_MISTAKEN_BESIDE_A_MASK: Final = math.log(0.75 / 0.25) - math.log(0.6 / 0.4)


def sunglasses(subject: Subject) -> Measure:
    """Probability that dark glasses hide the eyes, 0 to 1; clear glasses are none."""
    return _measure(subject, "sunglasses")


def hat(subject: Subject) -> Measure:
    """Probability that something covers the head above the brows, 0 to 1; hair is nothing.

    By the head it counts for less where there is a mask as well.
    """
    if subject.face is not None:
        above = float(subject.face.eye_midpoint[1]) / max(subject.face.inter_eye_distance, 1.0)
        if above < _HEADROOM:
            return Measure.not_assessed("the picture ends at the brows", method=_method(subject))
    measure = _measure(subject, "hat")
    if measure.value is None or subject.occlusion is None:
        return measure
    return Measure(_beside_a_mask(measure.value, subject.occlusion.mask), method=measure.method)


def mask(subject: Subject) -> Measure:
    """Probability that something covers mouth and nose, 0 to 1; a beard is nothing."""
    return _measure(subject, "mask")


def _beside_a_mask(hat: float, mask: float) -> float:
    """The head's probability of a hat, less what it is too high by with a mask of that probability; 0 to 1."""
    kept = min(max(hat, 1e-6), 1 - 1e-6)
    return 1 / (1 + (1 - kept) / kept * math.exp(_MISTAKEN_BESIDE_A_MASK * mask))


def _measure(subject: Subject, kind: str) -> Measure:
    method = _method(subject)
    if subject.face is None or subject.head_crop is None:
        return Measure.not_assessed(NO_FACE, method=method)
    if subject.face.inter_eye_distance < _LEAST_EYE_DISTANCE[method]:
        return Measure.not_assessed("the face has too few pixels", method=method)
    if subject.occlusion is not None:
        scores = subject.occlusion
        value = {"sunglasses": scores.sunglasses, "hat": scores.head_covering, "mask": scores.mask}[kind]
    else:
        value = subject.linear_occlusion[kind]
    return Measure(value, method=method)


def _method(subject: Subject) -> str:
    return CLASSICAL if subject.heads.occlusion is None else HEAD
