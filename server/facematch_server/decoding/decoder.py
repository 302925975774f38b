"""A decoder: a process that turns bytes into pixels, photo after photo, and may be ended at any time.

It is forked from the fork server (`forkserver`), opens nothing, writes nothing but pixels, and has no more memory and
CPU time for a photo than that may take.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final

from facematch_local.errors import FacematchError
from facematch_local.imaging.photo import ImageLimits, Photo
from facematch_server.decoding import protocol
from facematch_server.decoding.limits import Allowance, DecoderLimits

Decode = Callable[[bytes, ImageLimits, contextlib.AbstractContextManager[object]], Photo]

_PR_SET_PDEATHSIG: Final = 1
_FILES: Final = 32


def confine(parent: int, limits: DecoderLimits) -> None:
    """Tie this process to the life of `parent`, from which it was forked, and take away what decoding needs not."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before it could be tied to
        os._exit(0)
    os.setpgid(0, 0)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would put photos on the disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.image.max_side**2 * 3,) * 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    with contextlib.suppress(OSError):  # where memory runs out, a decoder goes rather than the service
        Path("/proc/self/oom_score_adj").write_text("500")


def work(sock: socket.socket, decode: Decode, limits: DecoderLimits) -> None:
    """Decode what comes, until the service closes its side.

    Args:
        sock: to the service.
        decode: bytes, limits and turn to a photo, see `facematch_local.imaging.decode.decode`.
        limits: what to keep to.
    """
    held = _Held(limits)
    slots: dict[int, protocol.Slot] = {}
    while True:
        message, files = protocol.received(sock)
        if message[:1] != protocol.PHOTO or not files:
            return
        data = protocol.taken(files[0], limits.image.max_bytes)
        held.to(limits.ordinary)
        try:
            photo = decode(data, limits.image, _Turn(sock, held, limits.large))
        except FacematchError as error:
            held.to(None)
            sock.send(protocol.REFUSED + str(error).encode()[: protocol.LONGEST_MESSAGE - 1])
            continue
        held.to(None)
        _hand_over(sock, photo, message[1], slots)
        del data, photo


def _hand_over(sock: socket.socket, photo: Photo, slot: int, slots: dict[int, protocol.Slot]) -> None:
    message = protocol.pixels_message(photo)
    if slot < protocol.SLOTS and photo.pixels.size <= protocol.SLOT_BYTES:
        if slot not in slots:
            slots[slot] = protocol.Slot()
        slots[slot].put(photo.pixels)
        socket.send_fds(sock, [message], [slots[slot].handle])
        return
    handle = protocol.put(photo.pixels.data)
    socket.send_fds(sock, [message], [handle])
    os.close(handle)


class _Held:
    """Holds this process to an allowance."""

    def __init__(self, limits: DecoderLimits) -> None:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        self._base = pages * resource.getpagesize()
        self._most = self._base + limits.large.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (self._most, self._most))

    def to(self, allowance: Allowance | None) -> None:
        """Start the clock and set the limit of memory anew; None: stop the clock, as between photos."""
        # Of all threads, user and system; when it runs out, the kernel ends the process by SIGPROF.
        signal.setitimer(signal.ITIMER_PROF, 0.0 if allowance is None else allowance.cpu_seconds)
        memory = self._most if allowance is None else self._base + allowance.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (memory, self._most))


class _Turn:
    """Asks the service for the turn of a large photo, which it takes back when the photo is handed over."""

    def __init__(self, sock: socket.socket, held: _Held, allowance: Allowance) -> None:
        self._sock = sock
        self._held = held
        self._allowance = allowance

    def __enter__(self) -> None:
        self._sock.send(protocol.TURN)
        message, _ = protocol.received(self._sock)
        if message != protocol.GO:
            os._exit(0)
        self._held.to(self._allowance)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
