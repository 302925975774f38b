"""The messages between service, fork server and decoders, over Unix sockets that preserve message boundaries.

```
service -> fork server   START id (with the decoder's socket and its status pipe), KILL id, YIELD id
fork server -> service   READY once
fork server -> status    how a decoder ended
service -> decoder       PHOTO buffer (with a file of the encoded photo), GO
decoder -> service       WANTS_LOCK, PIXELS height width scale format step (with a file of the pixels), REFUSED
                         reason; `step` is `Photo.jpeg_step`, 0 without one
```

Photos and pixels travel in anonymous files (memfd): in memory only, sealed so that they cannot shrink while they are
read. A decoder parses untrusted photos, so the service checks everything that a decoder sends.

Fresh memory from the system costs more than copying into it. Therefore a decoder keeps a few files, its buffers, and
reuses them for pixels; the service says which buffer is free.
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
WANTS_LOCK: Final = b"T"
PIXELS: Final = b"P"
REFUSED: Final = b"E"

# Number of buffers, one for each photo of a request, and their size: 5.2 million pixels, enough for every phone's photo
# at reduced size, 2560 x 1920 pixels at most.
BUFFERS: Final = 2
BUFFER_BYTES: Final = 15 << 20
NO_BUFFER: Final = 255

LONGEST_MESSAGE: Final = 512
ORDER: Final = struct.Struct("<cI")
STATUS: Final = struct.Struct("<i")
_PIXELS: Final = struct.Struct("<cIId8sd")
# Pillow's name for a file of several JPEGs.
_FORMATS: Final = (*FORMATS, "MPO")
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW


class ProtocolError(Exception):
    """The other side broke the protocol."""


def put(content: bytes | memoryview) -> int:
    """Make a sealed, immutable anonymous file with this content; return its descriptor, which the caller closes."""
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


class Buffer:
    """A file of a decoder that holds the pixels of one photo after the other."""

    def __init__(self) -> None:
        self.handle = os.memfd_create("pixels", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.handle, BUFFER_BYTES)
        fcntl.fcntl(self.handle, fcntl.F_ADD_SEALS, _SEALS | fcntl.F_SEAL_SEAL)
        self._room = np.frombuffer(mmap.mmap(self.handle, BUFFER_BYTES), np.uint8)

    def put(self, pixels: NDArray[np.uint8]) -> None:
        """Write pixels, at most `BUFFER_BYTES`."""
        self._room[: pixels.size].reshape(pixels.shape)[:] = pixels


def taken(handle: int, most: int) -> bytes:
    """Read at most `most` bytes of a file, and close it."""
    with open(handle, "rb", buffering=0) as file:
        file.seek(0)
        return file.read(most)


def pixels_message(photo: Photo) -> bytes:
    """The message that goes with the file of a photo's pixels."""
    return _PIXELS.pack(
        PIXELS, photo.height, photo.width, photo.scale, photo.format.encode("ascii"), photo.jpeg_step or 0.0
    )


def photo_from(message: bytes, handle: int, limits: ImageLimits, released: Callable[[], object] | None = None) -> Photo:
    """The photo that a decoder sends; its pixels stay in the decoder's file. Closes `handle`.

    Args:
        message: the decoder's message.
        handle: the file of the pixels.
        limits: limits on photos.
        released: called when the pixels are no longer used.

    Raises:
        ProtocolError: the message or the file breaks the protocol.
    """
    try:
        _, height, width, scale, name, step = _PIXELS.unpack(message)
        format = name.rstrip(b"\0").decode("ascii")
        size = height * width * 3
        # Without the seals, the decoder could still shrink the file or change the pixels.
        if (
            not 0 < height <= limits.max_side
            or not 0 < width <= limits.max_side
            or not (math.isfinite(scale) and scale > 0)
            or not (math.isfinite(step) and step >= 0)
            or format not in _FORMATS
            or fcntl.fcntl(handle, fcntl.F_GET_SEALS) & _SEALS != _SEALS
            or os.fstat(handle).st_size < size
        ):
            raise ProtocolError
        # Copy on write, so the array is writable.
        view = mmap.mmap(handle, size, access=mmap.ACCESS_COPY)
    except (struct.error, UnicodeDecodeError, OSError):
        raise ProtocolError from None
    finally:
        os.close(handle)
    if released is not None:
        weakref.finalize(view, released)
    return Photo(np.frombuffer(view, np.uint8).reshape(height, width, 3), scale, format, step or None)


def received(sock: socket.socket, files: int = 1) -> tuple[bytes, list[int]]:
    """One message and its descriptors; empty when the other side has closed.

    Raises:
        TimeoutError: no message within the socket's timeout.
    """
    try:
        message, handles, _, _ = socket.recv_fds(sock, LONGEST_MESSAGE, files, socket.MSG_CMSG_CLOEXEC)
    except (ConnectionError, BrokenPipeError):
        return b"", []
    return message, list(handles)
