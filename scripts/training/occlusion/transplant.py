"""Put the face of one person under the hair or the hat of another, so that neither goes with a kind of face."""

from __future__ import annotations

import cv2
import numpy as np

from facematch_local.faces.alignment import similarity_transform
from scripts.training.common.image import Array, Rng
from scripts.training.occlusion.occluders.paint import JAW, SIZE, out_from, region

BROWS = [383, 300, 293, 334, 296, 336, 9, 107, 66, 105, 63, 70, 156]  # from the right temple to the left one
CHEEKS = [234, 454, 152, 1, 33, 263, 61, 291]  # points that the two faces are matched by


def transplanted(head: Array, head_mesh: Array, face: Array, face_mesh: Array, rng: Rng) -> Array:
    """The canvas `head` with the other's face, brows to chin, in its own skin colour.

    Args:
        head: 320x320x3 uint8, see `canvas.py`; hair, hat, ears and ground come from it.
        head_mesh: its 468 points.
        face: canvas of the other person.
        face_mesh: its points.
        rng: how much the colour follows and how soft the seam is.
    """
    matrix = similarity_transform(face_mesh[CHEEKS].astype(np.float64), head_mesh[CHEEKS].astype(np.float64))
    moved = cv2.warpAffine(face, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = region(out_from(head_mesh[[*JAW, *BROWS]], head_mesh[4], rng.uniform(0.86, 0.94)), rng.uniform(3, 7))
    inner = alpha > 0.5
    if not inner.any():
        return head.copy()
    own, other = moved[inner].astype(np.float32), head[inner].astype(np.float32)
    gain = np.clip((other.std(0) + 4) / (own.std(0) + 4), 0.6, 1.6) ** rng.uniform(0.3, 1)
    matched = (moved - own.mean(0)) * gain + other.mean(0)
    out = head * (1 - alpha[..., None]) + matched * alpha[..., None]
    return np.clip(out, 0, 255).astype(np.uint8)
