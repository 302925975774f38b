"""Bytes that are not a photo, or not a whole one: a photo or a documented error."""

from __future__ import annotations

import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facematch_local.errors import FacematchError, ImageFormatError
from facematch_local.imaging.decode import decode, prepare
from facematch_local.imaging.photo import ImageLimits
from tests.facematch_local.imaging.made_photos import Pixels, image_of, saved


@pytest.fixture(autouse=True)
def _formats_are_registered() -> None:
    """Tests write HEIF, which Pillow knows only once the decoder has registered it."""
    prepare()


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
