"""A decoded photo, and what one may cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief import BriefRepr

# HxWx3, BGR unless said otherwise.
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a photo may cost.

    Attributes:
        max_bytes: encoded size in bytes.
        max_pixels: width times height as the header states it, checked before anything is decoded. Neither side may
            be longer than 65,535, whatever this says. Above 179 million, decoding raises Pillow's own limit for the
            process (`PIL.Image.MAX_IMAGE_PIXELS`).
        max_side: longest side of the decoded photo in pixels; larger photos are made smaller, JPEGs by
            decoding only what is needed. Detection works at 640 and recognition at 112: this keeps a
            portrait printed on a card at full detail, and makes a 48 MP JPEG cost what a 4 MP one does.
    """

    max_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_side: int = 2560


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Photo(BriefRepr):
    """A decoded photo.

    Attributes:
        pixels: HxWx3 uint8, BGR, upright (EXIF orientation applied).
        scale: side of `pixels` over side of the original; below 1 where it was decoded smaller.
        format: container format as Pillow names it (`"JPEG"`), or `"ARRAY"`.
    """

    pixels: NDArray[np.uint8]
    scale: float = 1.0
    format: str = "ARRAY"

    @property
    def height(self) -> int:
        """Rows of `pixels`."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns of `pixels`."""
        return int(self.pixels.shape[1])
