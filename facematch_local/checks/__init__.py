"""The checks: pure functions that measure a photo, one module per question. The limits are in the policy.

`PORTRAIT_CHECKS` and `CARD_CHECKS` list the checks of a photo by its role. A new check needs one function, one line in
these tables and one limit in `policy.toml`. A check with its own network also needs a module in
`facematch_local.networks`, and a cached property of `Examination` where several checks share its answer.

A check must not raise an exception for any photo; it returns a finite number or a reason. `measure` catches exceptions
nevertheless, because a faulty check must not fail a comparison.
"""

from __future__ import annotations

import logging
import math
import traceback
from pathlib import PurePath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks import (
    crop,
    document,
    exposure,
    face_size,
    occlusion,
    photocopy,
    recapture,
    sharpness,
    single_face,
    tampering,
)
from facematch_local.checks.check import Check, Measure, Role
from facematch_local.checks.examination import Examination

PORTRAIT_CHECKS: Final[tuple[Check, ...]] = (
    Check("face_confidence", single_face.face_confidence),
    Check("single_face", single_face.single_face),
    Check("sunglasses", occlusion.sunglasses, "occlusion"),
    Check("head_covering", occlusion.head_covering, "occlusion"),
    Check("mask", occlusion.mask, "occlusion"),
    Check("recapture", recapture.recapture, "recapture"),
    Check("blur", sharpness.blur),
    Check("edge_blur", sharpness.edge_blur),
    Check("noise", sharpness.noise),
    Check("over_exposure", exposure.over_exposure),
    Check("under_exposure", exposure.under_exposure),
    Check("dynamic_range", exposure.dynamic_range),
    Check("inter_eye_distance", face_size.inter_eye_distance),
    Check("head_size", face_size.head_size),
    Check("crop", crop.crop),
)

CARD_CHECKS: Final[tuple[Check, ...]] = (
    Check("document", document.document, "document"),
    Check("photocopy", photocopy.photocopy, "photocopy"),
    Check("portrait_substitution", tampering.portrait_substitution),
    Check("text_alteration", tampering.text_alteration),
    Check("face_confidence", single_face.face_confidence),
    Check("single_face", single_face.single_face),
    Check("blur", sharpness.blur),
    Check("noise", sharpness.noise),
    Check("over_exposure", exposure.over_exposure),
    Check("under_exposure", exposure.under_exposure),
    Check("dynamic_range", exposure.dynamic_range),
    Check("inter_eye_distance", face_size.inter_eye_distance),
)

CHECKS: Final[dict[Role, tuple[Check, ...]]] = {
    Role.CARD: CARD_CHECKS,
    Role.PORTRAIT: PORTRAIT_CHECKS,
}


def measure(examination: Examination) -> dict[str, Measure]:
    """Run every check of the photo's role.

    A check that raises an exception, or returns a number that is not finite, is not assessed. One log line states the
    check, the type of the exception and its frames. The line omits the message of the exception, which may quote
    content of the photo.

    Returns:
        The measures by name of the check.

    Raises:
        MemoryError: the process is out of memory. The photo is not the cause; the caller may try again.
    """
    return {check.name: _taken(check, examination) for check in CHECKS[examination.role]}


def document_outline(examination: Examination) -> NDArray[np.float32] | None:
    """Corners of the document on a photo of a card, for display: `Examination.document_outline`.

    Returns:
        (4, 2) float32 in pixels of the photo; None for a portrait, without a document, or if the search failed.
    """
    if examination.role is not Role.CARD:
        return None
    try:
        return examination.document_outline
    except MemoryError:
        raise
    # `measure` has logged the fault, because the check `document` uses the same scores.
    except Exception:
        return None


def _taken(check: Check, examination: Examination) -> Measure:
    try:
        taken = check.measure(examination)
    except MemoryError:
        raise
    # A fault in a check, a library or a network may raise any exception.
    except Exception as error:
        _log(check, examination, type(error).__name__, _places(error))
        return Measure.not_assessed(f"the check failed: {type(error).__name__}")
    if taken.value is None or math.isfinite(taken.value):
        return taken
    _log(check, examination, "the result is not finite", "its end")
    return Measure.not_assessed("the check failed: the result is not finite", taken.unit)


def _log(check: Check, examination: Examination, fault: str, place: str) -> None:
    logging.getLogger(__name__).error("check %s of a %s failed: %s at %s", check.name, examination.role, fault, place)


def _places(error: BaseException, most: int = 8) -> str:
    """`file:line function` of an exception's frames, innermost first; without source lines and values."""
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)][1:][-most:]
    names = (f"{'/'.join(PurePath(code.co_filename).parts[-2:])}:{line} {code.co_name}" for code, line in frames)
    return " < ".join(reversed(list(names)))


__all__ = [
    "CARD_CHECKS",
    "CHECKS",
    "PORTRAIT_CHECKS",
    "Check",
    "Examination",
    "Measure",
    "Role",
    "document_outline",
    "measure",
]
