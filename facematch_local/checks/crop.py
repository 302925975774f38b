"""Whether the whole face lies inside the photo (code 12)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.check import NO_FACE, Measure
from facematch_local.checks.examination import Examination
from facematch_local.faces import Face

# Extents of the face from the midpoint between the eyes, in inter-eye distances: part of the forehead, the chin, the
# cheeks. Adult means (ISO/IEC 39794-5, Annex D: inter-eye distance 0.4 of the head's width, eyes half-way from crown to
# chin) are 1.25 to the side and 1.9 to the chin; the hairline is 1.1 above the eyes.
FOREHEAD: Final = 1.1
CHIN: Final = 1.75
CHEEK: Final = 1.05


def crop(examination: Examination) -> Measure:
    """Smallest distance from the face's outline to a border of the photo, in inter-eye distances.

    OFIQ: CropOfTheFaceImage. The outline extends from forehead to chin and from cheek to cheek along the head's axes.
    The distance is negative if a border cuts the outline.
    """
    if examination.face is None:
        return Measure.not_assessed(NO_FACE, "IED")
    eye_distance = examination.face.inter_eye_distance
    if eye_distance < 1.0:
        return Measure.not_assessed("the eyes coincide", "IED")
    outline = _outline(examination.face, eye_distance)
    left, top = outline.min(axis=0)
    right, bottom = outline.max(axis=0)
    distances = (left, top, examination.photo.width - right, examination.photo.height - bottom)
    return Measure(float(min(distances)) / eye_distance, "IED")


def _outline(face: Face, eye_distance: float) -> NDArray[np.float64]:
    """(4, 2) in pixels of the photo: forehead, chin and both cheeks, along the head's own axes."""
    eyes = face.eye_midpoint.astype(np.float64)
    mouth = face.landmarks[3:5].mean(axis=0).astype(np.float64)
    down = (mouth - eyes) / max(float(np.linalg.norm(mouth - eyes)), 1e-6)
    side = np.array([down[1], -down[0]])
    # In profile the midpoint between the eyes lies at the edge of the head; take the centre of the box instead.
    centre = eyes + side * float(np.dot((face.box[:2] + face.box[2:]) / 2 - eyes, side))
    steps = (-FOREHEAD * down, CHIN * down, CHEEK * side, -CHEEK * side)
    return np.stack([centre + eye_distance * step for step in steps])
