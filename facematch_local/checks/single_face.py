"""Whether the photo shows a face, and only one person (codes 4, 5, 6)."""

from __future__ import annotations

from facematch_local.checks.check import NO_FACE, Measure, Role
from facematch_local.checks.examination import Examination
from facematch_local.faces import Face, cosine


def face_confidence(examination: Examination) -> Measure:
    """Confidence of the detector in the compared face, 0 to 1; 0 when no face was found."""
    return Measure(examination.face.score if examination.face else 0.0)


def single_face(examination: Examination) -> Measure:
    """Area of the second-largest face over that of the largest, 0 to 1 (OFIQ: SingleFacePresent).

    On a card, a face of the same person as the portrait (`Examination.ghost_percent`) is its ghost portrait and does
    not count.
    """
    if examination.face is None:
        return Measure.not_assessed(NO_FACE)
    others = [face for face in examination.faces[1:] if not _is_ghost(examination, face)]
    return Measure(max((face.area for face in others), default=0.0) / max(examination.face.area, 1e-9))


def _is_ghost(examination: Examination, other: Face) -> bool:
    main = examination.face
    if examination.role is not Role.CARD or main is None or main.embedding is None or other.embedding is None:
        return False
    return examination.calibration.percent(cosine(main, other)) >= examination.ghost_percent
