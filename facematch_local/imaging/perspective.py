"""Perspective correction of a quadrilateral in a photo, and masks of the photo's extent.

Corners are (4, 2) arrays of x and y in pixels: top left, top right, bottom right, bottom left of the object.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.photo import Pixels
from facematch_local.imaging.resampling import averaged


def rectified(pixels: Pixels, corners: NDArray[np.float32], width: int) -> Pixels:
    """Warp the area between four corners to an upright rectangle.

    Args:
        pixels: HxWx3 uint8 BGR; border pixels are repeated outside.
        corners: (4, 2) corners of the object in pixels of the photo.
        width: width of the result in pixels.

    Returns:
        height x width x 3 uint8 BGR. The height keeps the proportions of the object's left and top edges, between 8
        and 4 * width pixels.
    """
    import cv2

    top, side = corners[1] - corners[0], corners[3] - corners[0]
    seen = max(float(np.linalg.norm(top)), 1.0)
    height = int(np.clip(round(width * float(np.linalg.norm(side)) / seen), 8, 4 * width))
    part, corners = _around(pixels, corners)
    factor = int(seen / width)
    if factor > 1:
        # The warp reads single pixels; average them first to avoid aliasing.
        part, spans = averaged(part, factor)
        corners = (corners / np.array(spans)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, _rectangle(width, height))
    flat = cv2.warpPerspective(part, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return flat.astype(np.uint8, copy=False)


def photo_corners(pixels: Pixels) -> NDArray[np.float32]:
    """Corners of the photo itself: (4, 2) float32."""
    height, width = pixels.shape[:2]
    return _rectangle(width, height) - np.float32(0.5)


def covered(outline: NDArray[Any], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Mask of a convex outline (N, 2) in an image of `size` (width, height): (height, width) uint8, 255 inside, else 0.

    Suitable for outlines after an affine map. A perspective map may turn an outline inside out; use `shown` there.
    """
    import cv2

    mask = np.zeros((size[1], size[0]), np.uint8)
    # Clip the outline first: OpenCV does not fill polygons that extend far beyond the image.
    area, within = cv2.intersectConvexConvex(outline.astype(np.float32), _rectangle(*size))
    if area > 0 and within is not None:
        cv2.fillConvexPoly(mask, np.round(within).astype(np.int32), (255,))
    return mask


def _rectangle(width: int, height: int) -> NDArray[np.float32]:
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)


def _around(pixels: Pixels, corners: NDArray[np.float32]) -> tuple[Pixels, NDArray[np.float32]]:
    """Crop the photo to the bounding box of the corners; return the part and the corners in its pixels."""
    height, width = pixels.shape[:2]
    left, top = (int(v) for v in np.clip(np.floor(corners.min(axis=0)), 0, (width - 1, height - 1)))
    right, bottom = (int(v) for v in np.clip(np.ceil(corners.max(axis=0)) + 1, (left + 1, top + 1), (width, height)))
    return pixels[top:bottom, left:right], corners - np.array([left, top], np.float32)
