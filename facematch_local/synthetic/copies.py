"""Grey photocopies of cards."""

from __future__ import annotations

import numpy as np

from facematch_local.imaging.photo import Pixels
from facematch_local.synthetic.pixels import to_uint8


def photocopy(card: Pixels, rng: np.random.Generator) -> Pixels:
    """A grey copy: steep tone curve, toner grain, a slight loss of sharpness."""
    import cv2

    grey = cv2.cvtColor(card, cv2.COLOR_BGR2GRAY).astype(np.float32)
    grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.5, 1.2)).astype(np.float32)
    grey = 255 / (1 + np.exp(-(grey - rng.uniform(105, 135)) / rng.uniform(22, 45)))
    grey = grey + rng.normal(0, rng.uniform(4, 14), grey.shape)
    return to_uint8(np.repeat(np.clip(grey, rng.uniform(10, 40), 250)[..., None], 3, axis=2))
