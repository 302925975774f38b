"""How many faces, and whether a second one is a second person (codes 4, 5, 6)."""

from __future__ import annotations

from typing import Final

from facematch_local.checks.base import NO_FACE, Measure, Role, Subject
from facematch_local.faces import Face, cosine

# Two prints of one portrait on one card agree far better than this, two people hardly ever reach it; a smudged ghost
# image may score low, so the bar is low. In percent, since what a cosine says differs from recogniser to recogniser
# (about 0.28 with `standard`, 0.23 with `compact`). It decides what is counted, not what alarms.
SAME_PORTRAIT_PERCENT: Final = 46.0


def face_found(subject: Subject) -> Measure:
    """Confidence of the detector in the compared face, 0 to 1; 0 when no face was found."""
    return Measure(subject.face.score if subject.face else 0.0)


def second_face_ratio(subject: Subject) -> Measure:
    """Area of the second-largest face over that of the largest, 0 to 1 (OFIQ: SingleFacePresent).

    On a card, a face that is the same person as the portrait is its ghost image and does not count.
    """
    if subject.face is None:
        return Measure.not_assessed(NO_FACE)
    others = [face for face in subject.faces[1:] if not _is_ghost(subject, face)]
    return Measure(max((face.area for face in others), default=0.0) / max(subject.face.area, 1e-9))


def _is_ghost(subject: Subject, other: Face) -> bool:
    main = subject.face
    if subject.role is not Role.CARD or main is None or main.embedding is None or other.embedding is None:
        return False
    return subject.calibration.percent(cosine(main, other)) >= SAME_PORTRAIT_PERCENT
