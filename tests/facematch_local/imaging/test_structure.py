"""Limits on the structure of encoded photos: which photos are refused, and which pass."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facematch_local.errors import ImageFormatError
from facematch_local.imaging.decode import decode
from facematch_local.imaging.structure import StructureLimits, check_structure, exif_is_sane
from tests.hostile_photos import (
    HOSTILE,
    after_start,
    chunk,
    gif,
    narrow_png,
    overlapping_exif,
    png,
    progressive_scans,
    small_jpeg,
    tiff_strips,
    webp_chunks,
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_photos_do_not_reach_a_decoder(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = HOSTILE[name]()
    monkeypatch.setattr("facematch_local.imaging.decode._pixels", pytest.fail)
    begun = time.perf_counter()
    with pytest.raises(ImageFormatError, match="more than") as caught:
        decode(data)
    assert time.perf_counter() - begun < 1
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda n: progressive_scans(64, 64, n - 1), "100 scans"),
        (lambda n: after_start(b"\xff\xfe\x00\x02" * (10 * n - 20)), "1000 segments"),
        (lambda n: gif((b"!\xfe" + b"\1a" * (40 * n - 20)) + b"\0"), "4000 blocks"),
        (lambda n: webp_chunks(10 * n - 10), "1000 chunks"),
    ],
    ids=["scans", "segments", "blocks", "chunks"],
)
def test_limits_are_exact(make: Callable[[int], bytes], reason: str) -> None:
    check_structure(make(100))
    with pytest.raises(ImageFormatError, match=reason):
        check_structure(make(103))


@pytest.mark.parametrize(
    "data",
    [
        # A colour profile in 255 parts, and maps in extended XMP.
        after_start((b"\xff\xe2" + struct.pack(">H", 2000) + b"ICC_PROFILE\0".ljust(1998)) * 255),
        after_start((b"\xff\xe1" + struct.pack(">H", 60_000) + bytes(59_998)) * 160),
        # Firmware that pads to a block, and editors that keep the old Exif.
        after_start(b"\xff" * 4096),
        after_start((b"\xff\xe1" + struct.pack(">H", 10) + b"Exif\0\0MM") * 2),
        # Phones append arbitrary data to the photo.
        small_jpeg() + b"\xff\xda\0\2" * 1000,
        progressive_scans(64, 64, 20) + b"\0\2" + b"\xff\xda\0\2" * 1000,
        # Chunks of the size of libpng's buffer; one row per strip in a file of an old scanner.
        png(2000, 2000, *(chunk(b"IDAT", bytes(8192)) for _ in range(1200))),
        tiff_strips(24_000),
    ],
    ids=["icc", "xmp", "fill", "two exif", "trailer", "progressive trailer", "png", "tiff"],
)
def test_photos_of_cameras_and_editors_pass(data: bytes) -> None:
    check_structure(data)


def test_one_side_is_limited_too() -> None:
    with pytest.raises(ImageFormatError, match="side of more than 65535"):
        decode(narrow_png(65_536))
    assert decode(narrow_png(65_535)).pixels.shape == (2560, 1, 3)


@pytest.mark.filterwarnings("ignore:Tag data")
def test_slow_exif_is_ignored() -> None:
    data = overlapping_exif()
    assert not exif_is_sane(data[data.index(b"Exif") : data.index(b"Exif") + 60_000])
    assert decode(data).pixels.shape == (240, 320, 3)


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", b"II*\0", b"garbage of no directory", b"MM\0*\xff\xff\xff\xff"])
def test_damaged_exif_passes_to_its_parser(exif: bytes) -> None:
    assert exif_is_sane(exif)


@pytest.mark.parametrize(
    "start", [b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFFabcdWEBP", b"abcdftyp", b"II*\0", b"MM\0+", b"BM"]
)
def test_any_data_may_follow(start: bytes) -> None:
    """The check always ends, and raises only the documented error."""
    random = np.random.default_rng(0)
    for length in (0, 1, 3, 7, 20, 100, 5000):
        for kind in (bytes(length), b"\xff" * length, random.bytes(length)):
            try:
                check_structure(start + kind)
            except ImageFormatError:
                continue


def test_a_photo_takes_less_than_a_millisecond(encode: Callable[..., bytes]) -> None:
    """3 MB; the bound is generous, and the best of ten counts."""
    noisy = np.random.default_rng(0).integers(0, 256, (1800, 2000, 3), np.uint8)
    data = encode(noisy, "JPEG", quality=92)
    assert len(data) > 3_000_000
    took = min(timed(check_structure, data) for _ in range(10))
    assert took < 0.001


def timed(work: Callable[..., Any], *arguments: Any) -> float:
    begun = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begun


def test_limits_can_be_chosen() -> None:
    with pytest.raises(ImageFormatError, match="more than 2 segments"):
        check_structure(small_jpeg(), StructureLimits(jpeg_segments=2))


@pytest.mark.slow
def test_no_real_photo_is_refused(shared: Path) -> None:
    photos = [path for path in (shared / "data").rglob("*") if path.suffix in (".jpg", ".jpeg", ".png", ".webp")]
    assert len(photos) > 1000
    for path in photos:
        check_structure(path.read_bytes())
