"""Decoder for BMPs with bit-field layouts that Pillow refuses: RGBX, 4:4:4:4, 10:10:10 and others."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.errors import ImageFormatError
from facematch_local.imaging.tones import on_white

_COMPRESSIONS: Final = (3, 6)  # BI_BITFIELDS, BI_ALPHABITFIELDS
# Masks of red, green and blue in the layouts that Pillow reads, by bits per pixel.
_USUAL: Final = {
    16: {(0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F)},
    32: {(0xFF0000, 0xFF00, 0xFF), (0xFF000000, 0xFF0000, 0xFF00), (0xFF000000, 0xFF00, 0xFF), (0, 0, 0)},
}
_USUAL_WITH_ALPHA: Final = (0xFF, 0xFF00, 0xFF0000, 0xFF000000)


def decode_bitfields(data: bytes) -> NDArray[np.uint8] | None:
    """Decode a BMP with an unusual bit-field layout.

    Returns:
        HxWx3 uint8 BGR, upright, transparent areas white; None for any other photo, including BMPs with a layout that
        Pillow reads.

    Raises:
        ImageFormatError: the BMP is truncated or its bit masks are invalid.
    """
    if not data.startswith(b"BM") or len(data) < 70:
        return None
    (offset, header, width, height, _, bits, compression) = struct.unpack_from("<IIiiHHI", data, 10)
    if compression not in _COMPRESSIONS or bits not in _USUAL or header < 40:
        return None
    masks: tuple[int, ...] = struct.unpack_from("<4I", data, 54)
    if header == 40 and compression == 3:  # three masks follow the header, then the pixels
        masks = (*masks[:3], 0)
    if masks[:3] in _USUAL[bits] or masks == _USUAL_WITH_ALPHA:
        return None
    if not all(_is_one_run(mask, bits) for mask in masks) or not all(masks[:3]):
        raise ImageFormatError("the bit masks of the BMP are invalid")
    fields = _rows(data, offset, width, height, bits)
    blue, green, red, alpha = (_channel(fields, masks[index]) for index in (2, 1, 0, 3))
    if masks[3] and alpha.any():
        return on_white(np.dstack([blue, green, red, alpha]))
    return np.ascontiguousarray(np.dstack([blue, green, red]))


def _rows(data: bytes, offset: int, width: int, height: int, bits: int) -> NDArray[np.uint32]:
    stride = (width * bits // 8 + 3) // 4 * 4
    rows = abs(height)
    if width <= 0 or rows == 0 or offset + stride * rows > len(data):
        raise ImageFormatError("the photo is truncated")
    raw = np.frombuffer(data, np.uint8, stride * rows, offset).reshape(rows, stride)
    fields = raw[:, : width * bits // 8].copy().view("<u2" if bits == 16 else "<u4").astype(np.uint32)
    return fields if height < 0 else fields[::-1]  # rows are stored bottom up unless the height is negative


def _channel(fields: NDArray[np.uint32], mask: int) -> NDArray[np.uint8]:
    """One channel, uint8 scaled to 0..255; zeros for an empty mask."""
    if not mask:
        return np.zeros(fields.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    values = (fields & np.uint32(mask)) >> np.uint32(shift)
    scaled: NDArray[np.uint8] = np.rint(values * (255 / (mask >> shift))).astype(np.uint8)
    return scaled


def _is_one_run(mask: int, bits: int) -> bool:
    run = mask >> ((mask & -mask).bit_length() - 1) if mask else 0
    return mask < 1 << bits and run & (run + 1) == 0
