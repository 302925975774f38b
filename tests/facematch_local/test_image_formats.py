"""Every format that is promised is opened, whatever stands before it in the list."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from facematch_local.images import decode


@pytest.mark.parametrize("name", ["JPEG", "MPO", "PNG", "WEBP", "BMP", "TIFF", "GIF", "HEIF", "AVIF"])
def test_each_format_decodes(name: str) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (30, 60, 200)).save(buffer, name)
    photo = decode(buffer.getvalue())
    assert photo.pixels.shape == (48, 64, 3)
    assert np.abs(photo.pixels[24, 32].astype(int) - (200, 60, 30)).max() <= 8
