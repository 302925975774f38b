"""Limits on the structure of an encoded photo, checked before decoding.

Limits on bytes and pixels bound neither the time nor the memory of a decoder: a JPEG of 0.5 MB may hold thousands of
scans, each of which visits every pixel, and some parsers take quadratic time over small parts. This module counts the
parts. The limits are far above the output of cameras, phones, scanners and editors, and far below one second of
decoding.

The check is one pass, linear in the number of bytes, in steps of whole parts (never byte by byte), and takes well under
a millisecond for a photo. It is not a validation: it passes data that it cannot parse on to the decoder. The caller of
a decoder must bound the decoder's own time and memory.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from facematch_local.errors import ImageFormatError


@dataclass(frozen=True, slots=True)
class StructureLimits:
    """Largest number of parts of a photo, by format.

    Attributes:
        jpeg_segments: marker segments before the first scan. Cameras write 5 to 30. A colour profile takes up to 255;
            depth or gain maps in extended XMP take one for each 64 KiB, 160 in 10 MB.
        jpeg_exif_segments: Exif segments among them. Cameras write 1, editors 2; decoders join them in quadratic time.
        jpeg_scans: scans. Progressive encoders write 6 to 20; each costs a pass over all pixels.
        jpeg_padding: bytes outside any segment, such as fill bytes and remains left by firmware.
        png_chunk_bytes: a PNG may have one chunk per this number of bytes in addition to `parts`. Encoders write
            chunks of 4 KiB or more.
        gif_blocks: data blocks of all extensions before the first frame. A colour profile or XMP takes hundreds.
        tiff_entries: entries of the first directory. Cameras and scanners write 15 to 100.
        tiff_strips: strips or tiles. Old scanners write one for each row and colour.
        rle_bytes: size in bytes of a run-length coded BMP, which Pillow decodes step by step in Python. Cameras do not
            write them.
        parts: chunks or boxes of the other formats, and fields of one Exif directory.
    """

    jpeg_segments: int = 1000
    jpeg_exif_segments: int = 8
    jpeg_scans: int = 100
    jpeg_padding: int = 65_536
    png_chunk_bytes: int = 1024
    gif_blocks: int = 4000
    tiff_entries: int = 1000
    tiff_strips: int = 65_536
    rle_bytes: int = 1_000_000
    parts: int = 1000


def check_structure(data: bytes, limits: StructureLimits | None = None) -> None:
    """Refuse a photo with far more parts than any camera writes.

    Args:
        data: the encoded photo. Data of an unknown format passes.
        limits: default `StructureLimits()`.

    Raises:
        ImageFormatError: the photo has too many parts of one kind; the message names the kind and the limit.
    """
    limits = limits or StructureLimits()
    for starts, check in _CHECKS:
        if starts(data):
            return check(data, limits)
    return None


def exif_is_sane(exif: bytes, limits: StructureLimits | None = None) -> bool:
    """Whether a parser can read the first directory of an Exif block in little time.

    Args:
        exif: the block, with or without the leading `Exif\\0\\0`.
        limits: default `StructureLimits()`.
    """
    limits = limits or StructureLimits()
    block = exif.removeprefix(b"Exif\0\0")
    directory = _first_directory(block)
    if directory is None:
        return True
    # Fields may share their bytes: a thousand fields that point at the same 64 KiB cost a thousand times that size.
    fields = list(directory)
    return len(fields) <= limits.parts and sum(field.size for field in fields) <= 4 * len(block)


# --- JPEG -----------------------------------------------------------------------------------------

_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL: Final = (0xC0, 0xC1, 0xC9)
# In coded data a marker is FF followed by any byte except 00 (escaped data), FF (fill) and D0 to D7 (restarts).
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def _check_jpeg(data: bytes, limits: StructureLimits) -> None:
    position, components = _check_jpeg_header(data, limits)
    # If the first scan of a sequential JPEG holds all components, libjpeg decodes no further scan.
    if components and data[position + 4 : position + 5] == bytes((components,)):
        return
    # Counting FF DA is many times faster than walking the segments. Coded data contains FF DA only at scans, so a low
    # count suffices. Data after the photo (a video, a second picture) may contain some by chance; then walk.
    if data.count(b"\xff\xda", position) <= limits.jpeg_scans:
        return
    scans = 0
    while found := _NEXT_MARKER.search(data, position):
        marker = data[found.start() + 1]
        if marker == _END_OF_IMAGE:
            return
        scans += marker == _START_OF_SCAN
        if scans > limits.jpeg_scans:
            raise ImageFormatError(f"the JPEG has more than {limits.jpeg_scans} scans")
        position = found.end() + _segment_length(data, found.end())


def _check_jpeg_header(data: bytes, limits: StructureLimits) -> tuple[int, int]:
    """Walk the segments before the first scan.

    Returns:
        The position of the first scan, or the end of the data if there is none; and the number of components of a
        sequential JPEG, 0 for other JPEGs.
    """
    position, segments, exif, padding, components = 2, 0, 0, 0, 0
    while True:
        at = data.find(b"\xff", position)
        if at < 0:
            at = len(data)
        padding += at - position
        while data[at : at + 2] == b"\xff\xff" and padding <= limits.jpeg_padding:
            at, padding = at + 1, padding + 1
        if padding > limits.jpeg_padding:
            raise ImageFormatError(f"the JPEG has more than {limits.jpeg_padding} bytes outside its segments")
        if at + 2 > len(data):
            return len(data), 0
        marker, position = data[at + 1], at + 2
        if marker == _START_OF_SCAN:
            return at, components
        if (
            marker in (0x00, 0x01, 0xD8) or 0xD0 <= marker <= 0xD7
        ):  # markers without length; decoders skip them one by one
            padding += 2
            continue
        if marker in _FRAMES:
            count = data[position + 7 : position + 8]
            components = count[0] if marker in _SEQUENTIAL and count else 0
        segments += 1
        exif += marker == 0xE1 and data.startswith(b"Exif", position + 2)
        if segments > limits.jpeg_segments:
            raise ImageFormatError(f"the JPEG has more than {limits.jpeg_segments} segments before its first scan")
        if exif > limits.jpeg_exif_segments:
            raise ImageFormatError(f"the JPEG has more than {limits.jpeg_exif_segments} Exif segments")
        position += _segment_length(data, position)


def _segment_length(data: bytes, position: int) -> int:
    return max(int.from_bytes(data[position : position + 2]), 2)


# --- PNG, GIF, WebP, HEIF -------------------------------------------------------------------------


def _check_png(data: bytes, limits: StructureLimits) -> None:
    most = limits.parts + len(data) // limits.png_chunk_bytes
    position, chunks = 8, 0
    while position + 8 <= len(data):
        chunks += 1
        if chunks > most:
            raise ImageFormatError(f"the PNG has more than {most} chunks")
        position += 12 + int.from_bytes(data[position : position + 4])


def _check_gif(data: bytes, limits: StructureLimits) -> None:
    """Count the blocks before the first frame; later frames are not decoded."""
    flags = data[10] if len(data) > 10 else 0
    position, blocks = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0), 0
    while position < len(data) and data[position] not in (0x2C, 0x3B):  # a frame, or the end
        if data[position] != 0x21:  # not an extension: decoders skip such bytes one by one
            position += 1
            blocks += 1
        else:
            position += 2
            while position < len(data) and data[position] and blocks <= limits.gif_blocks:
                position += 1 + data[position]
                blocks += 1
            position += 1
            blocks += 1
        if blocks > limits.gif_blocks:
            raise ImageFormatError(f"the GIF has more than {limits.gif_blocks} blocks before its first frame")


def _check_webp(data: bytes, limits: StructureLimits) -> None:
    position, chunks = 12, 0
    while position + 8 <= len(data):
        chunks += 1
        if chunks > limits.parts:
            raise ImageFormatError(f"the WebP has more than {limits.parts} chunks")
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8 + size + (size & 1)


def _check_boxes(data: bytes, limits: StructureLimits) -> None:
    """Count the outermost boxes of a HEIF or AVIF file; the decoders' own limits bound the nested boxes."""
    position, boxes = 0, 0
    while position + 8 <= len(data):
        boxes += 1
        if boxes > limits.parts:
            raise ImageFormatError(f"the HEIF file has more than {limits.parts} boxes")
        size = int.from_bytes(data[position : position + 4])
        if size == 1:
            size = int.from_bytes(data[position + 8 : position + 16])
        if size < 8:  # 0: the box extends to the end
            return
        position += size


# --- TIFF, Exif -----------------------------------------------------------------------------------

_STRIP_OFFSETS: Final = 273
_TILE_OFFSETS: Final = 324
# Bytes per value by type: 1 to 12 from TIFF 6.0, 13 an offset, 16 to 18 from BigTIFF.
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


@dataclass(frozen=True, slots=True)
class _Field:
    tag: int
    count: int
    size: int


def _check_tiff(data: bytes, limits: StructureLimits) -> None:
    directory = _first_directory(data)
    for index, field in enumerate(directory or ()):
        if index >= limits.tiff_entries:
            raise ImageFormatError(f"the TIFF has more than {limits.tiff_entries} entries in its directory")
        if field.tag in (_STRIP_OFFSETS, _TILE_OFFSETS) and field.count > limits.tiff_strips:
            raise ImageFormatError(f"the TIFF has more than {limits.tiff_strips} strips or tiles")


def _first_directory(data: bytes) -> Iterator[_Field] | None:
    """Fields of the first directory that lie within the data; None if the data has no TIFF header."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        return None
    big = 43 in data[2:4]
    if big and len(data) < 16:
        return None
    (start,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    head, entry = (order + "Q", order + "HHQ8x") if big else (order + "H", order + "HHI4x")
    return _fields(data, start, struct.Struct(head), struct.Struct(entry))


def _fields(data: bytes, start: int, head: struct.Struct, entry: struct.Struct) -> Iterator[_Field]:
    if start + head.size > len(data):
        return
    (entries,) = head.unpack_from(data, start)
    position = start + head.size
    for _ in range(entries):
        if position + entry.size > len(data):
            return
        tag, kind, count = entry.unpack_from(data, position)
        size = count * _SIZES.get(kind, 0)
        # Decoders do not read a field that claims more bytes than the data has, so it costs nothing.
        yield _Field(tag, count, size if size <= len(data) else 0)
        position += entry.size


# --- BMP ------------------------------------------------------------------------------------------


def _check_bmp(data: bytes, limits: StructureLimits) -> None:
    header = 14 if data.startswith(b"BM") else 0
    if len(data) < header + 20 or int.from_bytes(data[header : header + 4], "little") == 12:
        return
    compression = int.from_bytes(data[header + 16 : header + 20], "little")
    if compression in (1, 2) and len(data) > limits.rle_bytes:
        raise ImageFormatError(f"the run-length coded BMP has more than {limits.rle_bytes} bytes")


def _is_dib(data: bytes) -> bool:
    return int.from_bytes(data[:4], "little") in (12, 40, 52, 56, 64, 108, 124)


_CHECKS: Final[tuple[tuple[Callable[[bytes], bool], Callable[[bytes, StructureLimits], None]], ...]] = (
    (lambda data: data.startswith(b"\xff\xd8"), _check_jpeg),
    (lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"), _check_png),
    (lambda data: data.startswith((b"GIF87a", b"GIF89a")), _check_gif),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", _check_webp),
    (lambda data: data[4:8] == b"ftyp", _check_boxes),
    (lambda data: data.startswith((b"II", b"MM")), _check_tiff),
    (lambda data: data.startswith(b"BM") or _is_dib(data), _check_bmp),
)
