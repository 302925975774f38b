"""The service checks every message of a decoder, because a decoder parses untrusted photos."""

from __future__ import annotations

import gc
import os
import sys

import numpy as np
import pytest

from facematch_local.imaging.photo import ImageLimits, Photo

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

PIXELS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
LIMITS = ImageLimits(max_side=100)


def test_there_and_back() -> None:
    from facematch_server.decoding import messages

    photo = Photo(PIXELS, 0.5, "JPEG", 28.75)
    released: list[int] = []
    handle = messages.put(photo.pixels.data)
    got = messages.photo_from(messages.pixels_message(photo), handle, LIMITS, lambda: released.append(1))
    assert np.array_equal(got.pixels, PIXELS)
    assert (got.scale, got.format, got.jpeg_step) == (0.5, "JPEG", 28.75)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(handle)
    part = got.pixels[1:2]
    del got
    gc.collect()
    assert not released
    del part
    gc.collect()
    assert released


@pytest.mark.parametrize(
    "photo",
    [
        Photo(PIXELS[:3], 1.0, "PNG"),
        Photo(PIXELS[:, :5], 1.0, "PNG"),
        Photo(np.zeros((101, 6, 3), np.uint8), 1.0, "PNG"),
        Photo(PIXELS, float("nan"), "PNG"),
        Photo(PIXELS, 0.0, "PNG"),
        Photo(PIXELS, 1.0, "EXE"),
        Photo(PIXELS, 1.0, "JPEG", float("nan")),
        Photo(PIXELS, 1.0, "JPEG", -1.0),
    ],
)
def test_lies_about_pixels(photo: Photo) -> None:
    """Of the first two the file is larger than stated, which is allowed: buffers are."""
    from facematch_server.decoding import messages

    message, handle = messages.pixels_message(photo), messages.put(PIXELS.data)
    if photo.pixels.size <= PIXELS.size and photo.scale == 1 and photo.format == "PNG":
        assert messages.photo_from(message, handle, LIMITS).pixels.shape == photo.pixels.shape
        return
    with pytest.raises(messages.ProtocolError):
        messages.photo_from(message, handle, LIMITS)


@pytest.mark.parametrize("kind", ["unsealed", "short", "no memory", "message"])
def test_files_that_could_change_below_our_feet(kind: str) -> None:
    from facematch_server.decoding import messages

    message = messages.pixels_message(Photo(PIXELS, 1.0, "PNG"))
    if kind == "unsealed":
        handle = os.memfd_create("x", os.MFD_ALLOW_SEALING)
        os.write(handle, PIXELS.data)
    elif kind == "no memory":
        handle = os.open(os.devnull, os.O_RDWR)
    else:
        handle = messages.put(PIXELS.data[:-1] if kind == "short" else PIXELS.data)
    with pytest.raises(messages.ProtocolError):
        messages.photo_from(message[:5] if kind == "message" else message, handle, LIMITS)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(handle)


def test_nobody_can_change_what_was_put() -> None:
    from facematch_server.decoding import messages

    handle = messages.put(b"photo")
    for change in (lambda: os.pwrite(handle, b"x", 0), lambda: os.ftruncate(handle, 0)):
        with pytest.raises(PermissionError):
            change()
    assert messages.taken(handle, 100) == b"photo"


def test_a_slot_is_written_again() -> None:
    from facematch_server.decoding import messages

    buffer = messages.Buffer()
    message = messages.pixels_message(Photo(PIXELS, 1.0, "PNG"))
    for pixels in (PIXELS, 255 - PIXELS):
        buffer.put(pixels)
        assert np.array_equal(messages.photo_from(message, os.dup(buffer.handle), LIMITS).pixels, pixels)
    with pytest.raises(PermissionError):
        os.ftruncate(buffer.handle, 0)
