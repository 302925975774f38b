"""Photos beyond the limits: refused, scaled down or decoded one at a time, in bounded memory."""

from __future__ import annotations

import contextlib
import platform
import struct
import subprocess
import sys
import threading
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facematch_local.errors import ImageFormatError, NoContentError
from facematch_local.imaging.decode import decode, prepare
from facematch_local.imaging.photo import ImageLimits
from tests.facematch_local.imaging.made_photos import Pixels, corners, image_of, saved


@pytest.fixture(autouse=True)
def _formats_are_registered() -> None:
    """Tests write HEIF, which Pillow knows only once the decoder has registered it."""
    prepare()


def test_no_bytes() -> None:
    with pytest.raises(NoContentError):
        decode(b"")


def test_too_many_bytes() -> None:
    with pytest.raises(ImageFormatError, match="larger than 100 bytes"):
        decode(b"\0" * 101, ImageLimits(max_bytes=100))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"])
def test_pixels_are_limited_before_decoding(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(image_of(corners()), format)
    monkeypatch.setattr("facematch_local.imaging.decode._pixels", pytest.fail)
    with pytest.raises(ImageFormatError, match="more than 1000 pixels"):
        decode(data, ImageLimits(max_pixels=1000))


def test_pixels_beyond_pillows_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow's limit is raised as required and never lowered: other users of Pillow in the process rely on it."""
    data = saved(image_of(corners()), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert decode(data, ImageLimits(max_pixels=96 * 128)).pixels.shape == (96, 128, 3)
    assert Image.MAX_IMAGE_PIXELS == 96 * 128
    decode(data, ImageLimits(max_pixels=20_000))
    assert Image.MAX_IMAGE_PIXELS == 96 * 128


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A grey PNG with the given chunks after the header."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), *chunks]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def test_decompression_bombs_cost_nothing() -> None:
    rows = zlib.compress(b"\0" * 10_000_000, 9)
    for side in (8_000, 100_000):
        with pytest.raises(ImageFormatError):
            decode(png(side, side, (b"IDAT", rows)))
    bomb = zlib.compress(b"\0" * 80_000_000, 6)
    for chunk in ((b"zTXt", b"Comment\0\0" + bomb), (b"iTXt", b"Comment\0\1\0\0\0" + bomb), (b"iCCP", b"p\0\0" + bomb)):
        data = png(8, 8, chunk, (b"IDAT", zlib.compress(b"\0" * 72)), (b"IEND", b""))
        # Pillow may refuse the photo or ignore the chunk, but must not decompress it.
        tracemalloc.start()
        with contextlib.suppress(ImageFormatError):
            assert decode(data).pixels.shape == (8, 8, 3)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
        tracemalloc.stop()


def test_gif_with_a_frame_larger_than_its_header_states() -> None:
    data = bytearray(saved(Image.new("P", (300, 300)), "GIF"))
    data[6:10] = struct.pack("<HH", 1, 1)
    with pytest.raises(ImageFormatError):
        decode(bytes(data), ImageLimits(max_pixels=1000))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2560, 100), (2560, 100)),
        ((4000, 3000), (2000, 1500)),
        ((3000, 3000), (2560, 2560)),
        pytest.param((8000, 6000), (2000, 1500), marks=pytest.mark.slow),
    ],
)
def test_large_jpegs_are_decoded_smaller(size: tuple[int, int], expected: tuple[int, int]) -> None:
    photo = decode(saved(Image.new("RGB", size, (200, 100, 50)), "JPEG"))
    assert (photo.width, photo.height) == expected
    assert photo.scale == pytest.approx(expected[0] / size[0])
    assert np.abs(photo.pixels.mean(axis=(0, 1)) - (50, 100, 200)).max() < 3


def test_large_photos_of_other_formats_are_scaled_down() -> None:
    photo = decode(saved(Image.new("RGB", (300, 200), (200, 100, 50)), "PNG"), ImageLimits(max_side=150))
    assert (photo.width, photo.height, photo.scale) == (150, 100, 0.5)


@pytest.mark.parametrize(
    ("format", "options", "at_once"),
    [("JPEG", {}, 2), ("JPEG", {"progressive": True}, 1), ("PNG", {}, 1), ("WEBP", {}, 1)],
)
def test_large_photos_decoded_at_full_size_wait_for_each_other(
    format: str, options: dict[str, Any], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = saved(image_of(corners()), format, **options)
    monkeypatch.setattr("facematch_local.imaging.decode._LARGE", 96 * 128 - 1)
    inside: list[int] = []
    most = 0
    both = threading.Event()

    def slow(*_: Any) -> Pixels:
        nonlocal most
        inside.append(1)
        most = max(most, len(inside))
        if len(inside) == 2:
            both.set()
        both.wait(10 if at_once == 2 else 0.1)
        inside.pop()
        return corners()

    monkeypatch.setattr("facematch_local.imaging.decode._pixels", slow)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(partial(decode, large_photo_lock=threading.Lock()), [data, data]))
    assert most == at_once


PEAK = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from facematch_server.running.memory import keep_memory_level
from facematch_local.imaging.decode import decode

def memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

keep_memory_level()
small, large = (Path(name).read_bytes() for name in sys.argv[1:])
decode(small)
Path("/proc/self/clear_refs").write_text("5")
before = memory("VmRSS")
decode(large)
print(memory("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs Linux's /proc and glibc's allocator")
@pytest.mark.parametrize(
    ("format", "mode", "options"),
    [
        ("WEBP", "RGB", {"method": 0}),
        ("WEBP", "RGBA", {"lossless": True, "method": 0, "quality": 0}),
        ("PNG", "RGBA", {"compress_level": 1}),
        ("PNG", "I;16", {"compress_level": 1}),
    ],
)
def test_memory_per_pixel(format: str, mode: str, options: dict[str, Any], tmp_path: Path) -> None:
    """docs/operating.md promises at most 12 bytes; a copy of the photo in another layout would be 3 or 4 more."""
    small, large = tmp_path / "small", tmp_path / "large"
    shade = np.arange(3000, dtype=np.uint8)[None, :].repeat(3000, axis=0)
    image = Image.fromarray(shade.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(shade).convert(mode)
    if mode == "RGBA":
        image.putalpha(128)
    large.write_bytes(saved(image, format, **options))
    small.write_bytes(saved(image.crop((0, 0, 64, 64)), format, **options))
    command = [sys.executable, "-c", PEAK.format(path=sys.path), str(small), str(large)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    assert int(done.stdout) < 12 * 9_000_000 + 40_000_000  # the scaled photo, strips, the file


def test_extreme_proportions() -> None:
    assert decode(saved(Image.new("RGB", (30000, 1)), "PNG")).pixels.shape == (1, 2560, 3)
    assert decode(saved(Image.new("RGB", (1, 1)), "JPEG")).pixels.shape == (1, 1, 3)
