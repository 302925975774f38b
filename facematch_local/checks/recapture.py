"""Whether the face was photographed from a print or a screen (code 10, as a sign of fraud)."""

from __future__ import annotations

from facematch_local.checks.check import NO_FACE, NO_NETWORK, Measure
from facematch_local.checks.examination import Examination


def recapture(examination: Examination) -> Measure:
    """Probability, 0 to 1, that the face was photographed from a print or a screen.

    From the recapture network, given the picture and its strongest period (`imaging.spectrum.period_of`).
    """
    if examination.networks.recapture is None:
        return Measure.not_assessed(NO_NETWORK)
    if examination.recapture is None:
        return Measure.not_assessed(NO_FACE)
    return Measure(1.0 - examination.recapture.live)
