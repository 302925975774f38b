"""The quantisation tables that libjpeg writes at each quality."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.dct_blocks import (
    fixed,
    places,
)

# Qualities tried for the last compression, and for the earlier one; coarser steps leave too little to compare.
QUALITIES: Final = range(20, 99)
# Luminance steps at quality 50 (ITU-T T.81, table K.1). `steps` scales them to other qualities by libjpeg's rule.
_STEPS_50: Final = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


@functools.cache
def quantisation_steps() -> NDArray[np.float64]:
    """(Q, K): quantisation steps of the analysed coefficients by quality, coarsest first."""
    quality = np.array(QUALITIES, np.float64)
    scale = np.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    at_50 = np.array(_STEPS_50, np.float64)[places()]
    return fixed(np.clip(np.floor((scale[:, None] * at_50 + 50) / 100), 1, 255))
