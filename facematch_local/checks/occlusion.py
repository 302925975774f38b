"""Coverings of the face: sunglasses, head covering, mask (codes 7, 8, 9), from the occlusion network."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.check import NO_FACE, NO_NETWORK, Measure
from facematch_local.checks.examination import Examination
from facematch_local.checks.logits import logit, lowered
from facematch_local.faces import Face, head_axes

# Inter-eye distance in pixels below which a frame, a hem or a mask is too small to see.
_LEAST_EYE_DISTANCE: Final[dict[str, float]] = {"sunglasses": 5.0, "head_covering": 8.0, "mask": 4.0}
_OUTSIDE: Final[dict[str, str]] = {
    "sunglasses": "the picture ends at the eyes",
    "head_covering": "the picture ends at the brows",
    "mask": "the picture ends at the mouth",
}
# Below 8 px between the eyes the network over-reports sunglasses and masks: subtract this many logits per missing pixel
# (chosen on the development split). Head coverings are not assessed on such faces.
_FULL_TRUST_EYE_DISTANCE: Final = 8.0
_MISTAKEN_PER_PIXEL: Final[dict[str, float]] = {"sunglasses": 0.4, "mask": 1.1}
# The region that must lie inside the picture for a check to be assessed: its top and bottom in inter-eye distances
# below the eyes, along the head's own axes. Outside the picture the network sees repeated border pixels and mistakes
# them for a hem, a mask or a lens. The mouth is 1.15 below the eyes (ArcFace template); the hem of a cap 0.75 above.
_REGIONS: Final[dict[str, tuple[float, float]]] = {
    "sunglasses": (-0.2, 0.2),
    "head_covering": (-0.75, 0.0),
    "mask": (0.0, 1.15),
}
# Distance of the region's sides beyond eyes and mouth corners. If a side of the picture cuts a face, the detector
# places the invisible landmarks at the border.
_BESIDE: Final = 0.15
# How much of the region may be missing, in inter-eye distances, and the logits to subtract for each missing one: the
# repeated border pixels resemble a mask, but less than a mask does (chosen on the development split, with bare faces
# cut below and beside the mouth).
_MISSING: Final[dict[str, float]] = {"sunglasses": 0.0, "head_covering": 0.0, "mask": 0.2}
_MISTAKEN_PER_MISSING: Final = 20.0
# With a mask the network sees little of the face and mistakes a fringe for a hem: a score of 0.75 then corresponds to
# 0.6 without one (masked and bare faces of the development split, reviewed one by one). As a difference of logits.
_MISTAKEN_BESIDE_A_MASK: Final = logit(0.75) - logit(0.6)


def sunglasses(examination: Examination) -> Measure:
    """Probability, 0 to 1, that dark glasses hide the eyes; clear glasses do not count."""
    return _measure(examination, "sunglasses")


def head_covering(examination: Examination) -> Measure:
    """Probability, 0 to 1, that something covers the head above the brows; hair does not count.

    OFIQ: NoHeadCoverings. A mask lowers the result.
    """
    measure = _measure(examination, "head_covering")
    if measure.value is None or examination.occlusion is None:
        return measure
    return Measure(lowered(measure.value, _MISTAKEN_BESIDE_A_MASK * examination.occlusion.mask))


def mask(examination: Examination) -> Measure:
    """Probability, 0 to 1, that something covers mouth and nose; a beard does not count."""
    return _measure(examination, "mask")


def _measure(examination: Examination, kind: str) -> Measure:
    if examination.networks.occlusion is None:
        return Measure.not_assessed(NO_NETWORK)
    face, scores = examination.face, examination.occlusion
    if face is None or scores is None:
        return Measure.not_assessed(NO_FACE)
    eye_distance = face.inter_eye_distance
    if eye_distance < _LEAST_EYE_DISTANCE[kind]:
        return Measure.not_assessed("the face has too few pixels")
    cut = _outside(examination, _region(face, kind)) / max(eye_distance, 1.0)
    if cut > _MISSING[kind]:
        return Measure.not_assessed(_OUTSIDE[kind])
    value = {"sunglasses": scores.sunglasses, "head_covering": scores.head_covering, "mask": scores.mask}[kind]
    mistaken = _MISTAKEN_PER_PIXEL.get(kind, 0.0) * max(_FULL_TRUST_EYE_DISTANCE - eye_distance, 0.0)
    return Measure(lowered(value, mistaken + _MISTAKEN_PER_MISSING * cut))


def _region(face: Face, kind: str) -> NDArray[np.float64]:
    """(4, 2): corners, in pixels of the photo, of the region that must lie in the picture."""
    unit, eyes = max(face.inter_eye_distance, 1.0), face.eye_midpoint.astype(np.float64)
    across, down = head_axes(face)
    seen = (face.landmarks[[0, 1, 3, 4]] - eyes) @ across
    sides = float(seen.min()) - _BESIDE * unit, float(seen.max()) + _BESIDE * unit
    return np.array([eyes + x * across + y * unit * down for x in sides for y in _REGIONS[kind]], np.float64)


def _outside(examination: Examination, points: NDArray[np.floating[Any]]) -> float:
    """Distance in pixels by which the farthest of these points of the photo, (N, 2) x and y, lies outside; 0 inside."""
    height, width = examination.photo.pixels.shape[:2]
    return float(max(-points.min(), (points - (width, height)).max(), 0.0))
