"""Whether the picture of the document was altered (code 3): another portrait, another line of text.

If a picture of a card is saved, altered and saved again, its untouched parts went through JPEG twice and the inserted
parts once. `imaging.double_jpeg` describes the method and its limits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.check import NO_FACE, Measure
from facematch_local.checks.examination import Examination
from facematch_local.imaging.double_jpeg import Evidence, Recompression, evidence_of_blocks, evidence_of_portrait

REDUCED: Final = "the photo was reduced, which removes traces of an alteration"
_TOO_LITTLE: Final = "too few pixels of portrait or card can be compared"
# Difference in nats between one compression and two that counts half, for the portrait and for text. The text may be
# anywhere, and some part of a card always looks unusual, so text needs more evidence.
_DOUBT: Final = 10.0
_DOUBT_ANYWHERE: Final = 40.0
# Rows and columns of 8x8 blocks that a line of text, or one word of it, covers.
_LINES: Final = ((2, 8), (2, 14), (3, 10))


def portrait_substitution(examination: Examination) -> Measure:
    """Confidence, 0 to 1, that the card went through one more JPEG compression than the portrait on it.

    0 if the card shows no earlier compression. Detects a portrait from any source, pasted or blended into a compressed
    picture of the card. Tampering with the physical card does not leave this trace.
    """
    return _measured(examination, lambda seen, earlier: evidence_of_portrait(seen, earlier).surely_once(_DOUBT))


def text_alteration(examination: Examination) -> Measure:
    """Confidence, 0 to 1, that the card went through one more JPEG compression than a part of it the size of a line.

    0 if the card shows no earlier compression. Detects text erased and rewritten in a compressed picture of the card,
    away from the portrait. In a large photo the check analyses only the surroundings of the portrait.
    """
    return _measured(examination, _surest_line)


def _measured(
    examination: Examination, measure: Callable[[Recompression, NDArray[np.float64]], NDArray[np.float64] | float]
) -> Measure:
    """Apply `measure` to the document's compressions and the steps of the earlier one; 0 without an earlier one."""
    if examination.face is None:
        return Measure.not_assessed(NO_FACE)
    if examination.photo.scale < 1:
        return Measure.not_assessed(REDUCED)
    seen = examination.recompression
    if seen is None:
        return Measure.not_assessed(_TOO_LITTLE)
    return Measure(0.0 if seen.earlier is None else float(measure(seen, seen.earlier)))


def _surest_line(seen: Recompression, earlier: NDArray[np.float64]) -> float:
    """Confidence, 0 to 1, that the line with the least evidence of `earlier` was not compressed by it."""
    import cv2

    blocks = evidence_of_blocks(seen, earlier)
    most = 0.0
    for size in _LINES:
        sums = (
            np.asarray(cv2.boxFilter(each, -1, size[::-1], normalize=False, borderType=cv2.BORDER_CONSTANT), np.float64)
            for each in (blocks.found, blocks.if_twice, blocks.if_once)
        )
        most = max(most, float(Evidence(*sums).surely_once(_DOUBT_ANYWHERE).max()))
    return most
