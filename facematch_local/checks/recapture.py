"""Whether the face was photographed from a print or a screen (code 10, as a sign of fraud)."""

from __future__ import annotations

from typing import Final

from facematch_local.checks.check import NO_FACE, NO_NETWORK, Measure
from facematch_local.checks.examination import Examination
from facematch_local.checks.logits import expit, logit
from facematch_local.imaging.photo import Photo

TOO_SMALL: Final = "the photo has too few pixels to show traces of a print or a screen"
TOO_COMPRESSED: Final = "the photo is compressed too much to show traces of a print or a screen"
# Beyond these limits the traces of most screens are gone (models/compact/NOTEBOOK.md, "Texture network"): the photo's
# shorter side in pixels, and the mean step of a JPEG's quantisation table in grey levels (libjpeg's quality of 25).
SMALLEST_SIDE: Final = 240
COARSEST_STEP: Final = 115.5
EVIDENT: Final = 0.5
"""Probability that stands whatever the size and the compression of the photo."""
LEAST_VIEW: Final = -1.5
"""Logit of the view below which it counts no less: the rim of a print or a screen may lie outside the photo."""
LEAST_TEXTURE: Final = -2.0
"""Logit of the texture below which it counts no less: the traces may be lost."""
OFFSET: Final = 0.7
"""What is added to the sum of both logits (models/compact/NOTEBOOK.md, "Joint decision")."""


def recapture(examination: Examination) -> Measure:
    """Probability, 0 to 1, that the face was photographed from a print or a screen.

    Two networks decide together: one on the view around the face (bezel, edge of the paper, hand, glare, tone), one on
    the texture of the photo at its own resolution (pixel grid, halftone, moire). Their logits are added, each at least
    `LEAST_VIEW` or `LEAST_TEXTURE`. So a plain trace of either is enough, and a weak one needs the other's agreement.
    Traces that are there count in every photo. Where none are found in a small or heavily compressed photo, it is not
    assessed: such photos do not keep them.
    """
    networks = examination.networks
    if networks.recapture is None:
        return Measure.not_assessed(NO_NETWORK)
    if examination.recapture is None:
        return Measure.not_assessed(NO_FACE)
    seen = 1.0 - examination.recapture.live
    if networks.texture is None:
        return Measure(seen)
    probability = _joint(seen, examination.texture)
    reason = _without_traces(examination.photo)
    return Measure.not_assessed(reason) if reason and probability <= EVIDENT else Measure(probability)


def _joint(seen: float, texture: float | None) -> float:
    """Probability of a recapture from that of the view and the logit of the texture, None if it was not measured."""
    trace = LEAST_TEXTURE if texture is None else max(texture, LEAST_TEXTURE)
    return expit(max(logit(seen), LEAST_VIEW) + trace + OFFSET)


def _without_traces(photo: Photo) -> str:
    """Why the photo cannot be expected to keep traces; "" if it can."""
    if min(photo.width, photo.height) < SMALLEST_SIDE:
        return TOO_SMALL
    return TOO_COMPRESSED if (photo.jpeg_step or 0.0) > COARSEST_STEP else ""
