"""Was the face photographed from a print or a screen (code 10, as a sign of fraud)."""

from __future__ import annotations

from facematch_local.checks.base import CLASSICAL, HEAD, NO_FACE, Measure, Subject


def recapture(subject: Subject) -> Measure:
    """How much the face looks like a picture of a print or a screen.

    With a recapture head: the probability that it is not live, 0 to 1, by the picture and its strongest period.
    Without one: that period alone, as the natural logarithm of its amplitude over what is usual at that frequency
    (`facematch_local.imaging.spectrum`). A blurred recapture shows none.
    """
    method = CLASSICAL if subject.heads.recapture is None else HEAD
    if subject.face is None:
        return Measure.not_assessed(NO_FACE, method=method)
    if subject.recapture is not None:
        return Measure(1.0 - subject.recapture.live, method=method)
    if subject.period is None:
        return Measure.not_assessed("the photo has too few pixels", "ln", method)
    return Measure(subject.period, "ln", method=method)
