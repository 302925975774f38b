"""Small JPEG images for reports."""

from __future__ import annotations

from facematch_local.imaging.decode import encode_jpeg
from facematch_local.imaging.photo import Pixels
from facematch_local.imaging.resampling import scaled


def thumbnail(pixels: Pixels, longest: int, quality: int) -> bytes:
    """A JPEG of `pixels` (HxWx3 uint8 BGR), resized to `longest` pixels on its longer side."""
    scale = longest / max(pixels.shape[:2])
    return encode_jpeg(scaled(pixels, scale), quality)
