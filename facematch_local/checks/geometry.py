"""Size and place of the face in the frame (codes 11, 12)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.base import NO_FACE, Measure, Subject
from facematch_local.faces import Face

# Extents of a head from the midpoint between the eyes, in inter-eye distances, at the end that must be in the
# picture for the face itself to be whole: brows with some forehead above, chin below, cheeks at the sides.
# Adult means (ISO/IEC 39794-5, Annex D: inter-eye 0.4 of head width, eyes half-way from crown to chin)
# give 1.25 to the side and 1.9 to chin; above, the forehead up to the hairline is 1.1.
FOREHEAD: Final = 1.1
CHIN: Final = 1.75
CHEEK: Final = 1.05


def inter_eye_distance(subject: Subject) -> Measure:
    """Inter-eye distance in pixels of the original photo (ISO/IEC 29794-5), corrected for a turned head."""
    if subject.face is None:
        return Measure.not_assessed(NO_FACE, "px")
    return Measure(subject.face.inter_eye_distance / subject.photo.scale, "px")


def face_height_ratio(subject: Subject) -> Measure:
    """Height of the face box over height of the photo, 0 to 1 and a little more for cut faces."""
    if subject.face is None:
        return Measure.not_assessed(NO_FACE)
    return Measure(subject.face.height / subject.photo.height)


def margin(subject: Subject) -> Measure:
    """Smallest distance from the face's outline to a border of the photo, in inter-eye distances.

    The outline runs from hairline to chin and from cheek to cheek, turned with the head; negative where
    it is cut by the border (OFIQ: CropOfTheFaceImage).
    """
    if subject.face is None:
        return Measure.not_assessed(NO_FACE, "IED")
    eye_distance = subject.face.inter_eye_distance
    if eye_distance < 1.0:
        return Measure.not_assessed("the eyes coincide", "IED")
    outline = _outline(subject.face, eye_distance)
    left, top = outline.min(axis=0)
    right, bottom = outline.max(axis=0)
    distances = (left, top, subject.photo.width - right, subject.photo.height - bottom)
    return Measure(float(min(distances)) / eye_distance, "IED")


def _outline(face: Face, eye_distance: float) -> NDArray[np.float64]:
    """(4, 2): forehead, chin and both cheeks, along the head's own axes."""
    eyes = face.eye_midpoint.astype(np.float64)
    mouth = face.landmarks[3:5].mean(axis=0).astype(np.float64)
    down = (mouth - eyes) / max(float(np.linalg.norm(mouth - eyes)), 1e-6)
    side = np.array([down[1], -down[0]])
    # In profile the eyes' midpoint lies at the edge of the head; the box's middle does not.
    centre = eyes + side * float(np.dot((face.box[:2] + face.box[2:]) / 2 - eyes, side))
    steps = (-FOREHEAD * down, CHIN * down, CHEEK * side, -CHEEK * side)
    return np.stack([centre + eye_distance * step for step in steps])
