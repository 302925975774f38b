"""The part of a photo in the box of a face."""

from __future__ import annotations

from facematch_local.faces.face import Face
from facematch_local.imaging.photo import Pixels


def box_part(pixels: Pixels, face: Face, margin: float = 0.0) -> Pixels:
    """The box of a face, edges rounded to the nearest pixel, clipped to the photo.

    Args:
        pixels: HxWx3 uint8 BGR.
        face: its box is (left, top, right, bottom) in pixels.
        margin: added on each side, as a share of the box's width and height.

    Returns:
        HxWx3 uint8 BGR, a view; without pixels if the box lies outside the photo, where a detector may place it.
    """
    left, top, right, bottom = (float(value) for value in face.box)
    dx, dy = margin * (right - left), margin * (bottom - top)
    x1, y1, x2, y2 = (max(round(edge), 0) for edge in (left - dx, top - dy, right + dx, bottom + dy))
    return pixels[y1:y2, x1:x2]
