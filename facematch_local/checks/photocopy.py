"""Whether the document is a grey copy (code 2). The check cannot distinguish a colour copy from a card."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.checks.check import NO_FACE, NO_NETWORK, Measure
from facematch_local.checks.examination import Examination
from facematch_local.imaging.photo import Pixels
from facematch_local.networks.photocopy import photocopy_crop

# Smallest share of the crop's central part that must be exposed well enough to keep colour.
_LEAST_SHARE: Final = 0.1


def photocopy(examination: Examination) -> Measure:
    """Probability, 0 to 1, that the document is a grey copy, from the portrait on it and the print around it."""
    network, face = examination.networks.photocopy, examination.face
    if network is None:
        return Measure.not_assessed(NO_NETWORK)
    if face is None:
        return Measure.not_assessed(NO_FACE)
    crop = photocopy_crop(examination.photo.pixels, face)
    height, width = crop.shape[:2]
    portrait = crop[height // 4 : -height // 4, width // 4 : -width // 4]
    if _has_colour(portrait).mean() < _LEAST_SHARE:
        return Measure.not_assessed("the document is too dark or overexposed")
    return Measure(network.predict(crop))


def _has_colour(pixels: Pixels) -> NDArray[np.bool_]:
    """Mask (H, W) of the pixels that are neither too dark nor overexposed to keep colour."""
    brightest = np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    return np.asarray((brightest < 250) & (brightest > 25))
