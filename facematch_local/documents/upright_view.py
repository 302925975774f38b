"""The part of a photo around a face, turned upright, at a fixed scale."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.faces import Face
from facematch_local.imaging.perspective import covered, photo_corners
from facematch_local.imaging.photo import Pixels
from facematch_local.imaging.resampling import reduced

# Inter-eye distance in the upright picture. Capitals on cards are 0.25 to 0.5 of it: 6 to 12 pixels.
EYES: Final = 24.0
# A card is 12 to 20 inter-eye distances wide; an image of this size contains it on whichever side the face is.
WIDTH: Final = 920
HEIGHT: Final = 480
# Pixels averaged before the rotation are smaller than those of the upright picture, so that letters stay sharp.
_COARSENESS: Final = 0.75


def upright(pixels: Pixels, face: Face, axes: NDArray[np.float64]) -> tuple[Pixels, Pixels, NDArray[np.float64]]:
    """Rotate and scale a photo: the eyes at the centre, `EYES` pixels apart.

    Args:
        pixels: HxWx3 uint8 BGR.
        face: one of its faces.
        axes: (2, 2), directions in the photo that become horizontal and vertical, such as `head_axes`.

    Returns:
        The picture, `HEIGHT` x `WIDTH` x 3 uint8 BGR; its mask, `HEIGHT` x `WIDTH` uint8, 255 inside the photo and 0
        outside; and the (2, 3) matrix that maps points of the photo to points of the picture.
    """
    import cv2

    eyes = face.eye_midpoint.astype(np.float64)
    turn = EYES / max(face.inter_eye_distance, 1.0) * axes
    matrix = np.hstack([turn, (np.array([WIDTH / 2, HEIGHT / 2]) - turn @ eyes)[:, None]])
    inside = covered(photo_corners(pixels) @ turn.T + matrix[:, 2], (WIDTH, HEIGHT))
    # Often only a third of the picture lies inside the photo. Warp that part alone, and repeat its border around it.
    left, top, width, height = cv2.boundingRect(inside)
    width, height = max(width, 1), max(height, 1)
    part, within = reduced(pixels, matrix, (WIDTH, HEIGHT), _COARSENESS)
    within = within - np.array([(0, 0, left), (0, 0, top)])
    photo = cv2.warpAffine(part, within, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    beyond = (top, HEIGHT - top - height, left, WIDTH - left - width)
    picture = cv2.copyMakeBorder(photo, *beyond, cv2.BORDER_REPLICATE)
    return picture.astype(np.uint8, copy=False), inside, matrix
