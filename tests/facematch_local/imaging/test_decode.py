"""Decoding: every format, orientation and limit; damaged bytes."""

from __future__ import annotations

import contextlib
import io
import platform
import struct
import subprocess
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from facematch_local.errors import FacematchError, ImageFormatError, NoContentError
from facematch_local.imaging.decode import decode, encode_jpeg, from_array, prepare
from facematch_local.imaging.photo import ImageLimits, Photo

Pixels = NDArray[np.uint8]


@pytest.fixture(autouse=True)
def _formats_are_registered() -> None:
    """Tests write HEIF, which Pillow knows only once the decoder has registered it."""
    prepare()


def corners(height: int = 96, width: int = 128) -> Pixels:
    """BGR with a different colour in each corner, to detect rotations and swapped channels."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)  # top left blue
    pixels[: height // 2, width // 2 :] = (0, 255, 0)  # top right green
    pixels[height // 2 :, : width // 2] = (0, 0, 255)  # bottom left red
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)  # bottom right white
    return pixels


def image_of(pixels: Pixels) -> Image.Image:
    return Image.fromarray(pixels[:, :, ::-1].copy())


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def assert_close(actual: Pixels, expected: Pixels, mean: float = 4.0) -> None:
    assert actual.shape == expected.shape
    assert actual.dtype == np.uint8
    assert actual.flags.c_contiguous
    assert np.abs(actual.astype(int) - expected.astype(int)).mean() <= mean


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("MPO", {"quality": 95}),
        ("PNG", {}),
        ("WEBP", {"quality": 95}),
        ("WEBP", {"lossless": True}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg", "quality": 95}),
        ("GIF", {}),
        ("HEIF", {"quality": 95}),
        ("AVIF", {"quality": 95}),
    ],
)
def test_formats(format: str, options: dict[str, Any]) -> None:
    image = image_of(corners())
    if format == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    if format == "MPO":
        options |= {"save_all": True, "append_images": [image_of(255 - corners())]}
    photo = decode(saved(image, format, **options))
    assert_close(photo.pixels, corners())
    assert photo.scale == 1.0
    assert photo.format == format


def test_jpeg_pixels_equal_those_of_pillow(astronaut_jpeg: bytes) -> None:
    reference = np.asarray(Image.open(io.BytesIO(astronaut_jpeg)))[:, :, ::-1]
    assert_close(decode(astronaut_jpeg).pixels, np.ascontiguousarray(reference), mean=0.1)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(format: str, orientation: int) -> None:
    upright = image_of(corners())
    inverse = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if inverse is None else upright.transpose(inverse)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"exif": exif}
    if format == "TIFF":
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[0x0112] = orientation
        options = {"tiffinfo": tags}
    if format == "HEIF":  # writes the container's own rotation, as phones do, only when EXIF comes this way
        stored.info["exif"] = exif.tobytes()
        options = {}
    assert_close(decode(saved(stored, format, **options)).pixels, corners())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("options", "max_side"), [({}, 2560), ({}, 100), ({"progressive": True}, 100)])
def test_orientation_of_a_reduced_jpeg(orientation: int, options: dict[str, Any], max_side: int) -> None:
    """The definition in numpy's terms, on a photo that is not a square, decoded whole and at a quarter of its size."""
    stored = np.random.default_rng(0).integers(0, 256, (6, 10, 3), np.uint8)
    stored = np.repeat(np.repeat(stored, 32, axis=0), 32, axis=1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain, turned = (
        decode(saved(image_of(stored), "JPEG", **more, **options), ImageLimits(max_side=max_side))
        for more in ({}, {"exif": exif})
    )
    expected = {
        1: plain.pixels,
        2: plain.pixels[:, ::-1],
        3: plain.pixels[::-1, ::-1],
        4: plain.pixels[::-1],
        5: plain.pixels.transpose(1, 0, 2),
        6: plain.pixels.transpose(1, 0, 2)[:, ::-1],
        7: plain.pixels.transpose(1, 0, 2)[::-1, ::-1],
        8: plain.pixels.transpose(1, 0, 2)[::-1],
    }[orientation]
    assert turned.scale == plain.scale == (1.0 if max_side > 320 else 0.25)
    assert turned.pixels.flags.c_contiguous
    assert turned.pixels.flags.writeable
    np.testing.assert_array_equal(turned.pixels, expected)


def _sixteen_bit(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


REDUCED: dict[str, tuple[str, Callable[[Image.Image], Image.Image], dict[str, Any]]] = {
    "JPEG": ("JPEG", lambda image: image, {}),
    "JPEG without subsampling": ("JPEG", lambda image: image, {"subsampling": 0}),
    "progressive JPEG": ("JPEG", lambda image: image, {"progressive": True}),
    "grey JPEG": ("JPEG", lambda image: image.convert("L"), {}),
    "CMYK JPEG": ("JPEG", lambda image: image.convert("CMYK"), {}),
    "PNG": ("PNG", lambda image: image, {}),
    "16-bit PNG": ("PNG", _sixteen_bit, {}),
    "WebP": ("WEBP", lambda image: image, {}),
    "HEIC": ("HEIF", lambda image: image, {}),
}


@pytest.mark.parametrize("max_side", [1000, 400, 250])
@pytest.mark.parametrize("kind", REDUCED)
def test_places_in_a_reduced_photo(kind: str, max_side: int) -> None:
    """A disc stays at its place, whatever decodes and reduces the photo."""
    format, converted, options = REDUCED[kind]
    y, x = np.mgrid[:600, :1000]
    disc = np.where(np.hypot(x - 700, y - 250) < 60, 0, 255).astype(np.uint8)
    data = saved(converted(image_of(np.dstack([disc] * 3))), format, **options)
    photo = decode(data, ImageLimits(max_side=max_side))
    assert max(photo.pixels.shape) <= max_side
    assert photo.scale == pytest.approx(photo.width / 1000)
    assert photo.height == pytest.approx(600 * photo.scale, abs=0.5)
    dark = 255.0 - photo.pixels.mean(axis=2)
    dark[dark < 30] = 0
    rows, columns = np.mgrid[: photo.height, : photo.width]
    centre = np.array([(dark * columns).sum(), (dark * rows).sum()]) / dark.sum()
    # The middle of a pixel of the photo is at half of `scale` in pixels of the reduced one.
    np.testing.assert_allclose((centre + 0.5) / photo.scale - 0.5, (700, 250), atol=1.0)


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\xff\xff\xff\xff", b""])
def test_a_photo_with_damaged_exif_is_decoded(exif: bytes) -> None:
    assert_close(decode(saved(image_of(corners()), "JPEG", quality=95, exif=exif)).pixels, corners())


def test_unknown_orientation_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 17
    assert_close(decode(saved(image_of(corners()), "JPEG", quality=95, exif=exif)).pixels, corners())


def test_grey() -> None:
    ramp = np.tile(np.arange(128, dtype=np.uint8), (64, 1))
    expected = np.repeat(ramp[:, :, None], 3, axis=2)
    for format in ("PNG", "JPEG", "TIFF"):
        assert_close(decode(saved(Image.fromarray(ramp), format)).pixels, expected, mean=2)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_range(format: str) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (64, 1))
    expected = np.repeat((ramp / 257).astype(np.uint8)[:, :, None], 3, axis=2)
    assert_close(decode(saved(Image.fromarray(ramp), format)).pixels, expected, mean=1)


def test_sixteen_bit_colour() -> None:
    wide = corners().astype(np.uint16) * 257
    _, buffer = cv2.imencode(".png", wide)
    assert_close(decode(buffer.tobytes()).pixels, corners(), mean=1)


def test_float_grey() -> None:
    ramp = np.tile(np.linspace(0, 1, 256).astype(np.float32), (64, 1))
    expected = np.repeat((ramp * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    assert_close(decode(saved(Image.fromarray(ramp), "TIFF")).pixels, expected, mean=1)


def test_transparent_is_white() -> None:
    pixels = np.dstack([corners()[:, :, ::-1], np.zeros((96, 128), np.uint8)])
    pixels[:48, :64, 3] = 255
    expected = np.full((96, 128, 3), 255, np.uint8)
    expected[:48, :64] = corners()[:48, :64]
    for format in ("PNG", "WEBP"):
        assert_close(decode(saved(Image.fromarray(pixels), format, lossless=True)).pixels, expected, mean=1)


def test_palette_with_transparency() -> None:
    image = image_of(corners()).quantize(8)
    assert_close(decode(saved(image, "PNG")).pixels, corners(), mean=1)
    background = image.getpixel((127, 95))
    photo = decode(saved(image, "PNG", transparency=background))
    assert (photo.pixels[95, 127] == 255).all()


def test_one_bit_and_grey_with_alpha() -> None:
    checker = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    expected = np.repeat(checker[:, :, None], 3, axis=2)
    assert_close(decode(saved(Image.fromarray(checker).convert("1"), "PNG")).pixels, expected, mean=0)
    with_alpha = Image.merge("LA", [Image.fromarray(checker), Image.new("L", (64, 64), 255)])
    assert_close(decode(saved(with_alpha, "PNG")).pixels, expected, mean=0)


def test_cmyk_jpeg() -> None:
    # Pillow writes CMYK JPEGs the way Photoshop does: inverted, with Adobe's marker.
    data = saved(image_of(corners()).convert("CMYK"), "JPEG", quality=95, subsampling=0)
    assert b"Adobe" in data[:200]
    assert_close(decode(data).pixels, corners(), mean=6)


def test_first_frame_of_an_animation() -> None:
    frames = [image_of(corners()), Image.new("RGB", (128, 96))]
    for format in ("GIF", "WEBP", "TIFF", "PNG"):
        options: dict[str, Any] = {"save_all": True, "append_images": frames[1:]}
        if format == "WEBP":
            options["lossless"] = True
        assert_close(decode(saved(frames[0], format, **options)).pixels, corners(), mean=1)


def twelve_bits(mode: str) -> bytes:
    ramp = np.tile(np.linspace(0, 4095, 256).astype(np.uint16), (64, 1))
    return saved(Image.fromarray(ramp if mode == "I;16" else ramp.astype(np.int32)), "TIFF")


@pytest.mark.parametrize("mode", ["I;16", "I"])
def test_twelve_bits_in_sixteen_are_not_black(mode: str) -> None:
    ramp = np.tile(np.linspace(0, 255, 256).astype(np.uint8), (64, 1))
    assert_close(decode(twelve_bits(mode)).pixels, np.repeat(ramp[:, :, None], 3, axis=2), mean=1)


def test_orientation_of_type_byte() -> None:
    """Some editors write this type; the standard requires SHORT."""
    stored = image_of(corners()).transpose(Image.Transpose.ROTATE_90)
    block = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x0112, 1, 1, 6) + bytes(4)
    assert_close(decode(saved(stored, "JPEG", quality=95, exif=b"Exif\0\0" + block)).pixels, corners())


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_that_lacks_its_end_marker_only(options: dict[str, Any], astronaut: Pixels) -> None:
    data = saved(image_of(astronaut), "JPEG", quality=92, **options)
    for missing in (1, 2):
        assert np.array_equal(decode(data[:-missing]).pixels, decode(data).pixels)
    for missing in (20, 300, 5000):
        with pytest.raises(ImageFormatError, match="truncated"):
            decode(data[:-missing])


# --- limits ---------------------------------------------------------------------------------------


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
        ((8000, 6000), (2000, 1500)),
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
        both.wait(0.3)
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


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [b"\0", b"hello", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff", b"%!PS\n"]
)
def test_data_that_is_not_a_photo(data: bytes) -> None:
    with pytest.raises(ImageFormatError):
        decode(data)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated(format: str, share: float, astronaut: Pixels, encode: Callable[..., bytes]) -> None:
    data = encode(astronaut[:200, :200], format)
    with pytest.raises(ImageFormatError):
        decode(data[: int(len(data) * share)])


def test_truncated_jpeg_with_a_complete_thumbnail(astronaut: Pixels, encode: Callable[..., bytes]) -> None:
    thumbnail = encode(astronaut[:32, :32])
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    data = encode(astronaut)
    whole = data[:2] + segment + data[2:]
    assert decode(whole).pixels.shape == (512, 512, 3)
    with pytest.raises(ImageFormatError):
        decode(whole[: len(whole) * 2 // 3])


def test_bytes_after_the_end_are_ignored(astronaut_jpeg: bytes) -> None:
    assert decode(astronaut_jpeg + b"\0" * 1000).pixels.shape == (512, 512, 3)


@pytest.fixture(scope="module")
def small_photos(astronaut: Pixels, encode: Callable[..., bytes]) -> list[bytes]:
    decode(encode(astronaut))  # registers HEIF
    pixels = astronaut[40:104, 200:264]
    formats = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "HEIF", "AVIF")
    cmyk = saved(image_of(pixels).convert("CMYK"), "JPEG")
    return [*(encode(pixels, format) for format in formats), cmyk, encode(pixels, "JPEG", progressive=True)]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_bytes_end_in_a_photo_or_a_documented_error(data: st.DataObject, small_photos: list[bytes]) -> None:
    photo = bytearray(data.draw(st.sampled_from(small_photos)))
    for _ in range(data.draw(st.integers(0, 8))):
        photo[data.draw(st.integers(0, len(photo) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(photo)), st.integers(0, len(photo))))
    limits = ImageLimits(max_pixels=1_000_000)
    try:
        decoded = decode(bytes(photo[:cut]), limits)
    except FacematchError:
        return
    assert decoded.pixels.shape[0] * decoded.pixels.shape[1] <= limits.max_pixels
    assert decoded.pixels.shape[2:] == (3,)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_end_in_a_documented_error(data: bytes) -> None:
    with pytest.raises(FacematchError):
        decode(data)


def test_messages_do_not_quote_the_photo() -> None:
    secret = b"\xff\xd8\xff\xe1\x00\x20Nguyen Van A 0123456789"
    with pytest.raises(ImageFormatError) as caught:
        decode(secret)
    assert "Nguyen" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_threads(small_photos: list[bytes]) -> None:
    expected = [decode(photo).pixels for photo in small_photos]
    with ThreadPoolExecutor(8) as pool:
        for index, photo in enumerate(pool.map(decode, small_photos * 20)):
            assert np.array_equal(photo.pixels, expected[index % len(expected)])


# --- arrays ---------------------------------------------------------------------------------------


def test_from_array_takes_views() -> None:
    view = corners()[:, ::-1]
    photo = from_array(view)
    assert photo.pixels.flags.c_contiguous
    assert np.array_equal(photo.pixels, view)
    assert (photo.width, photo.height, photo.scale, photo.format) == (128, 96, 1.0, "ARRAY")


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_from_array_refuses_other_arrays(pixels: Any) -> None:
    with pytest.raises(ImageFormatError):
        from_array(pixels)


def test_encode_jpeg_round_trip(astronaut: Pixels) -> None:
    assert_close(decode(encode_jpeg(astronaut, 95)).pixels, astronaut)
    with pytest.raises(ImageFormatError):
        encode_jpeg(np.zeros((0, 0, 3), np.uint8))


def test_photos_compare_by_identity() -> None:
    assert Photo(corners()) != Photo(corners())


@pytest.mark.parametrize(("quality", "step"), [(75, 29), (50, 58), (25, 115)])
def test_a_jpeg_states_its_quantisation_step(quality: int, step: int, astronaut: NDArray[np.uint8]) -> None:
    assert decode(encode_jpeg(astronaut, quality)).jpeg_step == pytest.approx(step, abs=1)


def test_other_formats_state_no_quantisation_step(astronaut: NDArray[np.uint8]) -> None:
    for suffix in (".png", ".webp", ".bmp"):
        assert decode(cv2.imencode(suffix, astronaut)[1].tobytes()).jpeg_step is None
    assert from_array(astronaut).jpeg_step is None
