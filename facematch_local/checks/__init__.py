"""The checks: one module per question, each with a pure `measure` function and no threshold inside.

`PORTRAIT_CHECKS` and `CARD_CHECKS` list what is asked of a photo by its role. A new check is one new
module and one line here.

A check raises nothing, whatever the photo, and gives a finite number or a reason. `measure` does not rely on that: one
faulty check must not cost a comparison its answer.
"""

from __future__ import annotations

import logging
import math
import traceback
from pathlib import PurePath
from typing import Final

from facematch_local.checks import card, face_count, geometry, occlusion, photocopy, presentation, sharpness, tampering
from facematch_local.checks.base import Check, Measure, Role, Subject

PORTRAIT_CHECKS: Final[tuple[Check, ...]] = (
    Check("face_found", face_count.face_found),
    Check("second_face_ratio", face_count.second_face_ratio),
    Check("sunglasses", occlusion.sunglasses, "occlusion"),
    Check("hat", occlusion.hat, "occlusion"),
    Check("mask", occlusion.mask, "occlusion"),
    Check("recapture", presentation.recapture, "recapture"),
    Check("blur", sharpness.blur),
    Check("noise", sharpness.noise),
    Check("inter_eye_distance", geometry.inter_eye_distance),
    Check("face_height_ratio", geometry.face_height_ratio),
    Check("margin", geometry.margin),
)

CARD_CHECKS: Final[tuple[Check, ...]] = (
    Check("document", card.document, "document"),
    Check("document_colour", photocopy.colour, "photocopy"),
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
    """Every measure that is asked of the photo's role, by name of the check.

    A check that fails, or gives no finite number, is not assessed and logged: one line with the check, the type of the
    exception and the places that it passed, never its message, which may quote what the photo holds.

    Raises:
        MemoryError: the process is out of memory. That is no property of the photo; whoever asked should ask again.
    """
    return {check.name: _taken(check, subject) for check in CHECKS[subject.role]}


def _taken(check: Check, subject: Subject) -> Measure:
    try:
        taken = check.measure(subject)
    except MemoryError:
        raise
    # A fault in a check, or in a library or head beneath it, may raise anything.
    except Exception as error:
        _log(check, subject, type(error).__name__, _places(error))
        return Measure.not_assessed(f"the check failed: {type(error).__name__}", method=check.method(subject))
    if taken.value is None or math.isfinite(taken.value):
        return taken
    _log(check, subject, "no finite number", "its end")
    return Measure.not_assessed("the check failed: no finite number", taken.unit, taken.method)


def _log(check: Check, subject: Subject, fault: str, place: str) -> None:
    logging.getLogger(__name__).error("check %s of a %s failed: %s at %s", check.name, subject.role, fault, place)


def _places(error: BaseException, most: int = 8) -> str:
    """`file:line function` of the frames that an exception passed, innermost first; no source lines, no values."""
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)][1:][-most:]
    names = (f"{'/'.join(PurePath(code.co_filename).parts[-2:])}:{line} {code.co_name}" for code, line in frames)
    return " < ".join(reversed(list(names)))


__all__ = ["CARD_CHECKS", "CHECKS", "PORTRAIT_CHECKS", "Check", "Measure", "Role", "Subject", "measure"]
