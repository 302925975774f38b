"""Photos whose cost is bounded by neither bytes nor pixels; all are small to make. No camera writes any of them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any, Final

from PIL import Image


def progressive_scans(width: int = 2000, height: int = 2000, scans: int = 1000) -> bytes:
    """A valid grey progressive JPEG of many empty scans, each of which costs a pass over all pixels."""

    def segment(marker: int, body: bytes) -> bytes:
        return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body

    def huffman(kind: int, symbols: list[int], length: int) -> bytes:
        counts = [0] * 16
        counts[length - 1] = len(symbols)
        return segment(0xC4, bytes([kind << 4]) + bytes(counts) + bytes(symbols))

    blocks = ((width + 7) // 8) * ((height + 7) // 8)
    bits, left = "", blocks
    while left:
        r = min(left.bit_length() - 1, 14)
        run = min(left, (1 << (r + 1)) - 1)
        bits += format(14 - r, "04b") + (format(run - (1 << r), f"0{r}b") if r else "")
        left -= run
    bits += "1" * (-len(bits) % 8)
    empty = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)).replace(b"\xff", b"\xff\x00")
    head = (
        b"\xff\xd8"
        + segment(0xDB, b"\0" + bytes([1] * 64))
        + segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + bytes([1, 0x11, 0]))
        + huffman(0, [0], 1)
        + huffman(1, [r << 4 for r in range(14, -1, -1)], 4)
        + segment(0xDA, bytes([1, 1, 0, 0, 0, 0]))
        + bytes((blocks + 7) // 8)
    )
    return head + (segment(0xDA, bytes([1, 1, 0, 1, 63, 0])) + empty) * scans + b"\xff\xd9"


def scans_behind_a_false_end(scans: int = 1000) -> bytes:
    """The same with an end marker inside a comment, before the scans."""
    photo = progressive_scans(scans=scans)
    at = photo.index(b"\xff\xda", photo.index(b"\xff\xda") + 2)
    return photo[:at] + b"\xff\xfe\x00\x04\xff\xd9" + photo[at:]


def small_jpeg() -> bytes:
    """A good one."""
    return saved(Image.new("RGB", (320, 240), (200, 100, 50)), "JPEG")


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    """A photo as bytes."""
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def after_start(content: bytes) -> bytes:
    """A good JPEG with bytes after its start marker."""
    photo = small_jpeg()
    return photo[:2] + content + photo[2:]


def many_exif_segments(total: int = 9_000_000) -> bytes:
    """Small Exif segments: quadratic in Pillow, inside `Image.open`."""
    segment = b"\xff\xe1" + struct.pack(">H", 28) + b"Exif\0\0" + b"A" * 20
    return after_start(segment * (total // len(segment)))


def overlapping_exif() -> bytes:
    """A directory of 5,000 fields that all share the same 60 kB."""
    entries = b"".join(struct.pack("<HHII", 40_000 + n, 7, 60_000, 8) for n in range(5000))
    block = b"II*\0" + struct.pack("<IH", 8, 5000) + entries + bytes(4)
    return after_start(b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A grey PNG of such chunks."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def many_png_chunks(count: int = 700_000) -> bytes:
    """Empty private chunks."""
    return png(64, 64, chunk(b"abCd", b"") * count, chunk(b"IDAT", zlib.compress(bytes(65 * 64))))


def narrow_png(height: int = 49_999_999) -> bytes:
    """One pixel wide: 50 kB that cost 1.5 GB and 11 s."""
    squeeze = zlib.compressobj(1)
    block = bytes(1_000_000)
    data = b"".join(squeeze.compress(block) for _ in range(2 * height // len(block) + 1)) + squeeze.flush()
    return png(1, height, chunk(b"IDAT", data))


def tiff_strips(count: int = 2_000_000) -> bytes:
    """One strip of a row for each of them, all of the same bytes."""
    entries = (
        (256, 4, 1, 1),
        (257, 4, 1, count),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, count, 200),
        (278, 4, 1, 1),
        (279, 4, count, 200),
    )
    fields = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + fields + bytes(4)
    return head.ljust(200, b"\0") + struct.pack("<I", 1) * count


def tiff_entries(count: int = 60_000) -> bytes:
    """A directory of private entries."""
    fields = b"".join(struct.pack("<HHII", 5000 + n, 4, 1, 1) for n in range(count))
    return b"II*\0" + struct.pack("<IH", 8, count) + fields + bytes(4)


def gif(before: bytes) -> bytes:
    """A GIF with such blocks before its frame."""
    photo = saved(Image.new("P", (64, 64)), "GIF")
    at = 13 + (3 << (photo[10] & 7) + 1 if photo[10] & 0x80 else 0)
    return photo[:at] + before + photo[at:]


def run_length_bmp(side: int = 7000) -> bytes:
    """Pairs of one pixel each."""
    pairs = b"\1\0" * 4_900_000
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(pairs), 0, 0, 256, 0)
    palette = b"".join(bytes((n, 255 - n, n, 0)) for n in range(256))
    offset = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(pairs), 0, 0, offset) + head + palette + pairs


def webp_chunks(count: int = 1_000_000) -> bytes:
    """Empty chunks of no meaning."""
    photo = saved(Image.new("RGB", (64, 64)), "WEBP")
    body = photo[8:] + (b"abcd" + bytes(4)) * count
    return b"RIFF" + struct.pack("<I", len(body)) + body


def heif_boxes(count: int = 1_000_000) -> bytes:
    """Empty boxes after the brand."""
    return struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + (struct.pack(">I", 8) + b"free") * count


HOSTILE: Final[dict[str, Callable[[], bytes]]] = {
    "jpeg scans": progressive_scans,
    "jpeg scans behind a false end": scans_behind_a_false_end,
    "jpeg exif segments": many_exif_segments,
    "jpeg comments": lambda: after_start(b"\xff\xfe\x00\x02" * 2_000_000),
    "jpeg fill bytes": lambda: after_start(b"\xff" * 9_000_000),
    "jpeg stray bytes": lambda: after_start(bytes(9_000_000)),
    "jpeg restarts": lambda: after_start(b"\xff\xd0" * 4_000_000),
    "png chunks": many_png_chunks,
    "png narrow": narrow_png,
    "tiff strips": tiff_strips,
    "tiff entries": tiff_entries,
    "gif comments": lambda: gif((b"!\xfe" + b"\1a" * 4_000_000) + b"\0"),
    "gif extensions": lambda: gif(b"!\xfe\1a\0" * 1_500_000),
    "gif stray bytes": lambda: gif(bytes(9_000_000)),
    "bmp run lengths": run_length_bmp,
    "webp chunks": webp_chunks,
    "heif boxes": heif_boxes,
}
