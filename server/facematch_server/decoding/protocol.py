"""What service, fork server and decoders say to each other, over Unix sockets that keep messages apart.

```
service -> fork server   START id (with the decoder's socket and its status pipe), KILL id, YIELD id
fork server -> service   READY once
fork server -> status    how a decoder ended, written when it has
service -> decoder       PHOTO slot (with a file of its bytes), GO
decoder -> service       TURN, PIXELS height width scale format (with a file of them), REFUSED reason
```

Photos and pixels travel in anonymous files (memfd): in memory only, sealed so that they cannot shrink below the
reader's feet. A decoder parses what strangers send, so nothing that it says is taken without a check.

Memory that the system has just handed out costs more than the copy into it. So a decoder keeps a few files, its slots,
to write pixels into again; the service says which one is free.
"""

from __future__ import annotations

import fcntl
import math
import mmap
import os
import socket
import struct
import weakref
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.decode import FORMATS
from facematch_local.imaging.photo import ImageLimits, Photo

READY: Final = b"R"
START: Final = b"S"
KILL: Final = b"K"
YIELD: Final = b"Y"

PHOTO: Final = b"D"
GO: Final = b"G"
TURN: Final = b"T"
PIXELS: Final = b"P"
REFUSED: Final = b"E"

# Files that a decoder keeps, one for each photo of a request, and the most pixels that go there: 4.2 million, a phone's
# photo of 12 megapixels at reduced size included.
SLOTS: Final = 2
SLOT_BYTES: Final = 12 << 20
NO_SLOT: Final = 255

LONGEST_MESSAGE: Final = 512
ORDER: Final = struct.Struct("<cI")
STATUS: Final = struct.Struct("<i")
_PIXELS: Final = struct.Struct("<cIId8s")
# What Pillow names a file of JPEGs, too.
_FORMATS: Final = (*FORMATS, "MPO")
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW


class ProtocolError(Exception):
    """The other side said what it never says."""


def put(content: bytes | memoryview) -> int:
    """A sealed anonymous file with this content, that nobody can change; its descriptor, for the caller to close."""
    handle = os.memfd_create("photo", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        left = memoryview(content).cast("B")
        while left:
            left = left[os.write(handle, left) :]
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, _SEALS | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL)
    except BaseException:
        os.close(handle)
        raise
    return handle


class Slot:
    """A file of a decoder's own, for the pixels of one photo after the other."""

    def __init__(self) -> None:
        self.handle = os.memfd_create("pixels", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.handle, SLOT_BYTES)
        fcntl.fcntl(self.handle, fcntl.F_ADD_SEALS, _SEALS | fcntl.F_SEAL_SEAL)
        self._room = np.frombuffer(mmap.mmap(self.handle, SLOT_BYTES), np.uint8)

    def put(self, pixels: NDArray[np.uint8]) -> None:
        """Write pixels, not more than `SLOT_BYTES`."""
        self._room[: pixels.size].reshape(pixels.shape)[:] = pixels


def taken(handle: int, most: int) -> bytes:
    """The content of a file, at most `most` bytes; closes it."""
    with open(handle, "rb", buffering=0) as file:
        file.seek(0)
        return file.read(most)


def pixels_message(photo: Photo) -> bytes:
    """What goes with the file of a photo's pixels."""
    return _PIXELS.pack(PIXELS, photo.height, photo.width, photo.scale, photo.format.encode("ascii"))


def photo_from(message: bytes, handle: int, limits: ImageLimits, released: Callable[[], object] | None = None) -> Photo:
    """The photo that a decoder hands over, its pixels where the decoder wrote them; closes `handle`.

    Args:
        message: what the decoder said.
        handle: the file of the pixels.
        limits: limits on photos.
        released: called when nobody holds the pixels any more.

    Raises:
        ProtocolError: the message or the file is not what a decoder sends.
    """
    try:
        _, height, width, scale, name = _PIXELS.unpack(message)
        format = name.rstrip(b"\0").decode("ascii")
        size = height * width * 3
        # Without the seals, its file could still shrink below our feet, or the pixels change.
        if (
            not 0 < height <= limits.max_side
            or not 0 < width <= limits.max_side
            or not (math.isfinite(scale) and scale > 0)
            or format not in _FORMATS
            or fcntl.fcntl(handle, fcntl.F_GET_SEALS) & _SEALS != _SEALS
            or os.fstat(handle).st_size < size
        ):
            raise ProtocolError
        # A copy on write: as writable as an array of our own.
        view = mmap.mmap(handle, size, access=mmap.ACCESS_COPY)
    except (struct.error, UnicodeDecodeError, OSError):
        raise ProtocolError from None
    finally:
        os.close(handle)
    if released is not None:
        weakref.finalize(view, released)
    return Photo(np.frombuffer(view, np.uint8).reshape(height, width, 3), scale, format)


def received(sock: socket.socket, files: int = 1) -> tuple[bytes, list[int]]:
    """One message and the descriptors with it; empty when the other side is gone.

    Raises:
        TimeoutError: nothing came within the socket's timeout.
    """
    try:
        message, handles, _, _ = socket.recv_fds(sock, LONGEST_MESSAGE, files, socket.MSG_CMSG_CLOEXEC)
    except (ConnectionError, BrokenPipeError):
        return b"", []
    return message, list(handles)
