"""The checks: one module per question, each with a pure `measure` function and no threshold inside.

`PORTRAIT_CHECKS` and `CARD_CHECKS` list what is asked of a photo by its role. A new check is one new
module and one line here.
"""

from __future__ import annotations

from typing import Final

from facematch_local.checks import card, face_count, geometry, occlusion, photocopy, presentation, sharpness, tampering
from facematch_local.checks.base import CLASSICAL, HEAD, Check, Measure, Role, Subject

_LEARNED: Final = (HEAD, CLASSICAL)

PORTRAIT_CHECKS: Final[tuple[Check, ...]] = (
    Check("face_found", face_count.face_found),
    Check("second_face_ratio", face_count.second_face_ratio),
    Check("sunglasses", occlusion.sunglasses, _LEARNED),
    Check("hat", occlusion.hat, _LEARNED),
    Check("mask", occlusion.mask, _LEARNED),
    Check("recapture", presentation.recapture, _LEARNED),
    Check("blur", sharpness.blur),
    Check("noise", sharpness.noise),
    Check("inter_eye_distance", geometry.inter_eye_distance),
    Check("face_height_ratio", geometry.face_height_ratio),
    Check("margin", geometry.margin),
)

CARD_CHECKS: Final[tuple[Check, ...]] = (
    Check("document", card.document, _LEARNED),
    Check("document_colour", photocopy.colour, _LEARNED),
    Check("portrait_differs", tampering.portrait_differs),
    Check("text_differs", tampering.text_differs),
    Check("face_found", face_count.face_found),
    Check("second_face_ratio", face_count.second_face_ratio),
    Check("blur", sharpness.blur),
    Check("noise", sharpness.noise),
    Check("inter_eye_distance", geometry.inter_eye_distance),
)

CHECKS: Final[dict[Role, tuple[Check, ...]]] = {
    Role.CARD: CARD_CHECKS,
    Role.PORTRAIT: PORTRAIT_CHECKS,
}


def measure(subject: Subject) -> dict[str, Measure]:
    """Every measure that is asked of the photo's role, by name of the check."""
    return {check.name: check.measure(subject) for check in CHECKS[subject.role]}


__all__ = ["CARD_CHECKS", "CHECKS", "PORTRAIT_CHECKS", "Check", "Measure", "Role", "Subject", "measure"]
