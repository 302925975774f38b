"""BMPs with unusual bit-field layouts."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from facematch_local.errors import ImageFormatError
from facematch_local.imaging.bitfields import decode_bitfields
from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import ImageLimits

RGB = np.array([[(255, 0, 0), (0, 255, 0), (0, 0, 255)], [(255, 255, 255), (0, 0, 0), (255, 255, 0)]], np.uint32)


def bmp(bits: int, masks: tuple[int, ...], header: int = 124, top_down: bool = False, alpha: int = 255) -> bytes:
    """A BMP of `RGB` in these bit fields, stored bottom up by default."""
    channels = np.dstack([RGB, np.full(RGB.shape[:2], alpha, np.uint32)])
    words = np.zeros(RGB.shape[:2], np.uint32)
    for index, mask in enumerate(masks):
        if mask:
            shift = (mask & -mask).bit_length() - 1
            words |= (channels[:, :, index] * (mask >> shift) // 255).astype(np.uint32) << np.uint32(shift)
    rows = [row.astype("<u2" if bits == 16 else "<u4").tobytes() for row in (words if top_down else words[::-1])]
    pixels = b"".join(row.ljust((len(row) + 3) // 4 * 4, b"\0") for row in rows)
    height = -len(RGB) if top_down else len(RGB)
    head = struct.pack("<IiiHHIIiiII", header, 3, height, 1, bits, 3, len(pixels), 0, 0, 0, 0)
    fields = struct.pack("<4I", *masks)
    head += fields[:12] if header == 40 else fields.ljust(header - 40, b"\0")
    offset = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + head + pixels


LAYOUTS = {
    "rgbx": (32, (0xFF, 0xFF00, 0xFF0000, 0)),
    "10 bits": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0)),
    "4:4:4:4": (16, (0xF00, 0xF0, 0xF, 0xF000)),
    "bgr 5:6:5": (16, (0x1F, 0x7E0, 0xF800, 0)),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("header", [40, 56, 108, 124])
@pytest.mark.parametrize("top_down", [False, True])
def test_layouts(name: str, header: int, top_down: bool) -> None:
    bits, masks = LAYOUTS[name]
    if header == 40:
        masks = (*masks[:3], 0)
    photo = decode(bmp(bits, masks, header, top_down))
    assert np.array_equal(photo.pixels, RGB[:, :, ::-1])
    assert (photo.format, photo.scale) == ("BMP", 1.0)


@pytest.mark.parametrize(("bits", "masks"), [(16, (0xF800, 0x7E0, 0x1F, 0)), (32, (0xFF0000, 0xFF00, 0xFF, 0))])
def test_pillow_decodes_usual_layouts(bits: int, masks: tuple[int, ...]) -> None:
    data = bmp(bits, masks)
    assert decode_bitfields(data) is None
    assert np.array_equal(decode(data).pixels, RGB[:, :, ::-1])


def test_transparent_is_white_unless_the_whole_photo_is() -> None:
    bits, masks = LAYOUTS["4:4:4:4"]
    assert np.array_equal(decode(bmp(bits, masks, alpha=0)).pixels, RGB[:, :, ::-1])
    assert np.array_equal(decode(bmp(bits, masks, alpha=255)).pixels, RGB[:, :, ::-1])
    half = decode(bmp(bits, masks, alpha=128)).pixels
    assert 100 < half[1, 1, 0] < 155  # black becomes grey


@pytest.mark.parametrize("masks", [(0xF0F, 0xF0, 0xF000, 0), (0, 0xF0, 0xF, 0), (0xFF0000, 0xFF00, 0xFF, 1)])
def test_invalid_bit_masks(masks: tuple[int, ...]) -> None:
    with pytest.raises(ImageFormatError):
        decode(bmp(16, masks))


def test_truncated_and_too_large() -> None:
    data = bmp(*LAYOUTS["rgbx"])
    with pytest.raises(ImageFormatError, match="truncated"):
        decode(data[:-1])
    with pytest.raises(ImageFormatError, match="more than 5 pixels"):
        decode(data, ImageLimits(max_pixels=5))
    assert decode(data, ImageLimits(max_side=2)).scale == pytest.approx(2 / 3)
