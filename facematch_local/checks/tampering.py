"""Was something put into the picture of the document later (code 3): another portrait, another line of text.

A card that was photographed and saved, then tampered with and saved again, went through JPEG twice where it is
untouched and once where something new was put in. `imaging.double_jpeg` describes how
this is measured, and where it cannot be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.check import NO_FACE, Measure
from facematch_local.checks.examination import Examination
from facematch_local.imaging.double_jpeg import Evidence, Recompression, evidence_of_blocks, evidence_of_portrait

_TOO_LITTLE: Final = "too few pixels of portrait or card can be compared"
# Evidence of so many nats between one compression and two counts half. Text may stand in many places, and some place
# always looks odd, so it needs more.
_DOUBT: Final = 10.0
_DOUBT_ANYWHERE: Final = 40.0
# Rows and columns of 8x8 blocks that a line of text, or one word of it, covers.
_LINES: Final = ((2, 8), (2, 14), (3, 10))


def portrait_substitution(examination: Examination) -> Measure:
    """How surely the card went through one JPEG compression more than the portrait on it, 0 to 1.

    0 where the card shows no earlier compression. Raised by a portrait put into a compressed picture of the card,
    pasted or blended, wherever it came from. Tampering with the card itself leaves no such trace.
    """
    return _measured(examination, lambda seen, earlier: evidence_of_portrait(seen, earlier).surely_once(_DOUBT))


def text_alteration(examination: Examination) -> Measure:
    """How surely the card went through one JPEG compression more than some line's worth of it, 0 to 1.

    0 where the card shows no earlier compression. Raised by text that was wiped and written anew in a compressed
    picture of the card, away from the portrait; of a large photo no more than its surroundings are looked at.
    """
    return _measured(examination, _surest_line)


def _measured(
    examination: Examination, measure: Callable[[Recompression, NDArray[np.float64]], NDArray[np.float64] | float]
) -> Measure:
    """What `measure` says of the document by its compressions and the steps of the earlier one; 0 without that one."""
    seen = examination.recompression
    if seen is None:
        return Measure.not_assessed(NO_FACE if examination.face is None else _TOO_LITTLE)
    return Measure(0.0 if seen.earlier is None else float(measure(seen, seen.earlier)))


def _surest_line(seen: Recompression, earlier: NDArray[np.float64]) -> float:
    """How surely the line that looks least like it was compressed by `earlier` was not, 0 to 1."""
    import cv2

    blocks = evidence_of_blocks(seen, earlier)
    maps = np.stack([blocks.found, blocks.if_twice, blocks.if_once], axis=-1)
    most = 0.0
    for rows, columns in _LINES:
        sums = cv2.boxFilter(maps, -1, (columns, rows), normalize=False, borderType=cv2.BORDER_CONSTANT)
        most = max(most, float(Evidence(*np.moveaxis(sums, -1, 0)).surely_once(_DOUBT_ANYWHERE).max()))
    return most
