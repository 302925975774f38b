"""A decoded photo, and the limits on its size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief_repr import BriefRepr

# HxWx3 uint8, BGR unless stated otherwise.
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Limits on the size of a photo.

    Attributes:
        max_bytes: largest encoded size in bytes.
        max_pixels: largest width times height, as stated in the header; checked before decoding. Regardless of this
            limit, neither side may exceed 65,535 pixels. If this limit exceeds twice Pillow's own limit of 89 million
            pixels, decoding raises Pillow's limit for the whole process (`PIL.Image.MAX_IMAGE_PIXELS`).
        max_side: longest side of the decoded photo in pixels. Larger photos are scaled down; JPEGs are decoded at a
            reduced size. Detection uses 640 pixels and recognition 112, so the default keeps a portrait printed on
            a card at full detail, and a 48 MP JPEG costs as much as a 4 MP one.
    """

    max_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_side: int = 2560


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Photo(BriefRepr):
    """A decoded photo.

    Attributes:
        pixels: HxWx3 uint8, BGR, upright (EXIF orientation applied).
        scale: side of `pixels` divided by the side of the original; below 1 if the photo was scaled down.
        format: container format by Pillow's name (`"JPEG"`), or `"ARRAY"` for an array passed by the caller.
        jpeg_step: mean step of the file's JPEG quantisation table for luminance, grey levels (58 at libjpeg's quality
            of 50, 29 at 75); None for other formats.
    """

    pixels: NDArray[np.uint8]
    scale: float = 1.0
    format: str = "ARRAY"
    jpeg_step: float | None = None

    @property
    def height(self) -> int:
        """Number of rows of `pixels`."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Number of columns of `pixels`."""
        return int(self.pixels.shape[1])
