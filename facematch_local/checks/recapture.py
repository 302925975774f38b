"""Whether the face was photographed from a print or a screen (code 10, as a sign of fraud)."""

from __future__ import annotations

from typing import Final

from facematch_local.checks.check import NO_FACE, NO_NETWORK, Measure
from facematch_local.checks.examination import Examination

TOO_SMALL: Final = "the photo has too few pixels to show traces of a print or a screen"
TOO_COMPRESSED: Final = "the photo is compressed too much to show traces of a print or a screen"
# Mean step of a JPEG's quantisation table, grey levels, beyond which the texture network tells hardly anything
# (models/compact/NOTEBOOK.md, "Texture network"): 58 is libjpeg's quality of 50, 144 its quality of 20.
COARSEST_STEP: Final = 120.0
EVIDENT: Final = 0.5
"""Probability from the photo's scale alone that needs no traces."""


def recapture(examination: Examination) -> Measure:
    """Probability, 0 to 1, that the face was photographed from a print or a screen.

    The larger of two: from the view around the face (bezel, edge of the paper, hand, glare, tone), and from the texture
    of the photo at its own resolution (pixel grid, halftone, moire). A photo whose texture tells nothing, because it is
    too small or compressed too much, is not assessed, unless the view alone makes a recapture more likely than not.
    """
    networks = examination.networks
    if networks.recapture is None:
        return Measure.not_assessed(NO_NETWORK)
    if examination.recapture is None:
        return Measure.not_assessed(NO_FACE)
    seen = 1.0 - examination.recapture.live
    if networks.texture is None:
        return Measure(seen)
    step = examination.photo.jpeg_step
    reason = TOO_COMPRESSED if step is not None and step > COARSEST_STEP else ""
    texture = None if reason else examination.texture
    if texture is not None:
        return Measure(max(seen, texture))
    return Measure(seen) if seen > EVIDENT else Measure.not_assessed(reason or TOO_SMALL)
