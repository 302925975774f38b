"""Whether the face was photographed from a print or a screen (code 10, as a sign of fraud)."""

from __future__ import annotations

from typing import Final

from facematch_local.checks.check import NO_FACE, NO_NETWORK, Measure
from facematch_local.checks.examination import Examination
from facematch_local.imaging.photo import Photo

TOO_SMALL: Final = "the photo has too few pixels to show traces of a print or a screen"
TOO_COMPRESSED: Final = "the photo is compressed too much to show traces of a print or a screen"
# Beyond these limits the traces of most screens are gone (models/compact/NOTEBOOK.md, "Texture network"): the photo's
# shorter side in pixels, and the mean step of a JPEG's quantisation table in grey levels (libjpeg's quality of 25).
SMALLEST_SIDE: Final = 240
COARSEST_STEP: Final = 115.5
EVIDENT: Final = 0.5
"""Probability that stands whatever the size and the compression of the photo."""


def recapture(examination: Examination) -> Measure:
    """Probability, 0 to 1, that the face was photographed from a print or a screen.

    The larger of two: from the view around the face (bezel, edge of the paper, hand, glare, tone), and from the texture
    of the photo at its own resolution (pixel grid, halftone, moire). Traces that are there count in every photo. Where
    none are found in a small or heavily compressed photo, it is not assessed: such photos do not keep them.
    """
    networks = examination.networks
    if networks.recapture is None:
        return Measure.not_assessed(NO_NETWORK)
    if examination.recapture is None:
        return Measure.not_assessed(NO_FACE)
    seen = 1.0 - examination.recapture.live
    if networks.texture is None:
        return Measure(seen)
    probability = max(seen, examination.texture or 0.0)
    reason = _without_traces(examination.photo)
    return Measure.not_assessed(reason) if reason and probability <= EVIDENT else Measure(probability)


def _without_traces(photo: Photo) -> str:
    """Why the photo cannot be expected to keep traces; "" if it can."""
    if min(photo.width, photo.height) < SMALLEST_SIDE:
        return TOO_SMALL
    return TOO_COMPRESSED if (photo.jpeg_step or 0.0) > COARSEST_STEP else ""
