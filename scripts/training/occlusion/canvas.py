"""Aligned canvases: the crop of the occlusion network at 2.5 times its size with a margin, and the face mesh on it."""

from __future__ import annotations

import cv2
import numpy as np

from facematch_local.faces import Face
from facematch_local.faces.alignment import similarity_transform
from facematch_local.networks.occlusion import OCCLUSION_TEMPLATE
from scripts.training.common.image import Array
from scripts.training.common.landmarkers import Mesh

SIZE, SCALE, MARGIN = 320, 2.5, 20.0  # canvas = 2.5 * crop + 20
STORED = 160  # crops are kept at half the canvas: 1.25 * crop + 10
EYES = 24 * SCALE


def canvas_of(image: Array, face: Face) -> Array:
    """320x320x3 uint8 BGR; pixels outside the photo repeat its border."""
    target = np.array(OCCLUSION_TEMPLATE) * SCALE + MARGIN
    matrix = similarity_transform(face.landmarks.astype(np.float64), target)
    shrink = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if shrink < 0.5:
        image = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([1 / shrink, 1 / shrink, 1])
    return cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def stored(canvas: Array) -> Array:
    """The canvas at the size crops are kept at."""
    return cv2.resize(canvas, (STORED, STORED), interpolation=cv2.INTER_AREA)


def mesh_on(canvas: Array, mesh: Mesh) -> Array:
    """MediaPipe's 468 points on a canvas, [468,2] float32 in its pixels."""
    side, centre = 3.5 * EYES, (SIZE / 2, 60 * SCALE + MARGIN + 0.4 * EYES)
    scale = 192 / side
    matrix = np.array([[scale, 0, 96 - scale * centre[0]], [0, scale, 96 - scale * centre[1]]])
    points = mesh.points(cv2.warpAffine(canvas, matrix, (192, 192)))
    return ((points - 96) / scale + np.array(centre)).astype(np.float32)
