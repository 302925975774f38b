"""What covers the face: sunglasses, a hat, a mask (codes 7, 8, 9).

Where there is an occlusion head, the pack's own or a lent one, the measure is its probability; without one, that
of `occlusion_linear`.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.base import CLASSICAL, HEAD, NO_FACE, Measure, Subject
from facematch_local.faces import Face, head_axes

# Inter-eye distance, pixels, below which the crop shows nothing of a frame, a hem or a mask.
_LEAST_EYE_DISTANCE: Final[dict[str, dict[str, float]]] = {
    HEAD: {"sunglasses": 5.0, "hat": 8.0, "mask": 4.0},
    CLASSICAL: {"sunglasses": 10.0, "hat": 10.0, "mask": 10.0},
}
_OUTSIDE: Final[dict[str, str]] = {
    "sunglasses": "the picture ends at the eyes",
    "hat": "the picture ends at the brows",
    "mask": "the picture ends at the mouth",
}
# The smaller the face, the more bare ones the head takes for covered. For every pixel by which the eyes are nearer to
# each other than this, its probability counts for so much less, as a difference of logits
# (scripts/training/heads/small_faces.py, on the tuned half). Hats are not judged on such faces.
_FULL_TRUST_EYE_DISTANCE: Final = 8.0
_MISTAKEN_PER_PIXEL: Final[dict[str, float]] = {"sunglasses": 0.4, "mask": 1.1}
# What must lie inside the picture for a code to be judged, in inter-eye distances below the eyes, along the head's own
# axes: from where to where. Outside the picture the network sees border pixels repeated, and takes them for a hem, a
# mask or a lens. The mouth lies 1.15 below the eyes (the ArcFace template); a cap's hem shows at 0.75 above them.
_REGIONS: Final[dict[str, tuple[float, float]]] = {
    "sunglasses": (-0.2, 0.2),
    "hat": (-0.75, 0.0),
    "mask": (0.0, 1.15),
}
# To the sides the region reaches so far beyond eyes and mouth corners. Of a face that the side of the picture cuts, the
# detector places the landmarks that it cannot see at the border.
_BESIDE: Final = 0.15
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
    measure = _measure(subject, "hat")
    if measure.value is None or subject.occlusion is None:
        return measure
    return Measure(_lowered(measure.value, _MISTAKEN_BESIDE_A_MASK * subject.occlusion.mask), method=measure.method)


def mask(subject: Subject) -> Measure:
    """Probability that something covers mouth and nose, 0 to 1; a beard is nothing."""
    return _measure(subject, "mask")


def _measure(subject: Subject, kind: str) -> Measure:
    method = _method(subject)
    if subject.face is None or subject.head_crop is None:
        return Measure.not_assessed(NO_FACE, method=method)
    eye_distance = subject.face.inter_eye_distance
    if eye_distance < _LEAST_EYE_DISTANCE[method][kind]:
        return Measure.not_assessed("the face has too few pixels", method=method)
    if not _in_picture(subject, _region(subject.face, kind)):
        return Measure.not_assessed(_OUTSIDE[kind], method=method)
    scores = subject.occlusion
    if scores is None:
        return Measure(subject.linear_occlusion[kind], method=method)
    value = {"sunglasses": scores.sunglasses, "hat": scores.head_covering, "mask": scores.mask}[kind]
    too_near = max(_FULL_TRUST_EYE_DISTANCE - eye_distance, 0.0)
    return Measure(_lowered(value, _MISTAKEN_PER_PIXEL.get(kind, 0.0) * too_near), method=method)


def _region(face: Face, kind: str) -> NDArray[np.float64]:
    """(4, 2): corners, in pixels of the photo, of what must lie in the picture for a code to be judged."""
    unit, eyes = max(face.inter_eye_distance, 1.0), face.eye_midpoint.astype(np.float64)
    across, down = head_axes(face)
    seen = (face.landmarks[[0, 1, 3, 4]] - eyes) @ across
    sides = float(seen.min()) - _BESIDE * unit, float(seen.max()) + _BESIDE * unit
    return np.array([eyes + x * across + y * unit * down for x in sides for y in _REGIONS[kind]], np.float64)


def _in_picture(subject: Subject, points: NDArray[np.floating[Any]]) -> bool:
    """Whether all of these points of the photo, (2,) or (N, 2) x and y in pixels, lie inside it."""
    height, width = subject.photo.pixels.shape[:2]
    return bool(((points >= 0) & (points < (width, height))).all())


def _lowered(probability: float, logits: float) -> float:
    """A probability less a difference of logits; 0 to 1."""
    if not logits:
        return probability
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return 1 / (1 + (1 - kept) / kept * math.exp(logits))


def _method(subject: Subject) -> str:
    return CLASSICAL if subject.heads.occlusion is None else HEAD
