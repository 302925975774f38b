"""The region of the face in the crop of convention `occlusion-1` (`Examination.head_crop`)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.networks.occlusion import OCCLUSION_SIZE

_EYE_DISTANCE: Final = 24.0
_EYE_HEIGHT: Final = 60.0
# Half-axes and centre below the eyes, in inter-eye distances: from the brow to the chin and from cheek to cheek, inside
# the outline of `crop`, so that hair and background of nearly all faces stay outside.
_HALF_WIDTH: Final = 0.85
_HALF_HEIGHT: Final = 1.05
_BELOW_EYES: Final = 0.6


@lru_cache(maxsize=1)
def face_ellipse() -> NDArray[np.bool_]:
    """The face from brow to chin: 112x112 bool, True inside an ellipse. Do not change the array."""
    y, x = np.mgrid[:OCCLUSION_SIZE, :OCCLUSION_SIZE]
    across = (x - OCCLUSION_SIZE / 2) / (_HALF_WIDTH * _EYE_DISTANCE)
    along = (y - _EYE_HEIGHT - _BELOW_EYES * _EYE_DISTANCE) / (_HALF_HEIGHT * _EYE_DISTANCE)
    inside: NDArray[np.bool_] = across**2 + along**2 <= 1.0
    inside.setflags(write=False)
    return inside
