"""Decoding: every format, orientation and limit; damaged bytes."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from facematch_local.errors import ImageFormatError
from facematch_local.imaging.decode import decode, encode_jpeg, from_array, prepare
from facematch_local.imaging.photo import ImageLimits, Photo
from tests.facematch_local.imaging.made_photos import Pixels, assert_close, corners, image_of, saved


@pytest.fixture(autouse=True)
def _formats_are_registered() -> None:
    """Tests write HEIF, which Pillow knows only once the decoder has registered it."""
    prepare()


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


@pytest.mark.parametrize("max_side", [400, *(pytest.param(side, marks=pytest.mark.slow) for side in (1000, 250))])
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
