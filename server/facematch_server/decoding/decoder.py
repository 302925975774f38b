"""A decoder: a process that decodes photo after photo and may be killed at any time.

It is a fork of the fork server (`forkserver`). It opens no files, writes pixels only, and has limited memory and CPU
time for each photo.
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
from facematch_server.decoding import messages
from facematch_server.decoding.limits import Allowance, DecoderLimits

Decode = Callable[[bytes, ImageLimits, contextlib.AbstractContextManager[object]], Photo]

_PR_SET_PDEATHSIG: Final = 1
_FILES: Final = 32


def confine(parent: int, limits: DecoderLimits) -> None:
    """Make this process end with `parent`, which forked it, and drop the rights that decoding does not need."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # the parent ended before the call above
        os._exit(0)
    os.setpgid(0, 0)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would write photos to the disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.image.max_side**2 * 3,) * 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    with contextlib.suppress(OSError):  # if memory runs out, the kernel kills a decoder first
        Path("/proc/self/oom_score_adj").write_text("500")


def work(sock: socket.socket, decode: Decode, limits: DecoderLimits) -> None:
    """Decode photos until the service closes its side.

    Args:
        sock: the socket to the service.
        decode: decodes bytes with limits and a lock for large photos, see `facematch_local.imaging.decode.decode`.
        limits: the limits of this process.
    """
    held = _Held(limits)
    buffers: dict[int, messages.Buffer] = {}
    while True:
        message, files = messages.received(sock)
        if message[:1] != messages.PHOTO or not files:
            return
        data = messages.taken(files[0], limits.image.max_bytes)
        held.to(limits.ordinary)
        try:
            photo = decode(data, limits.image, _LargePhotoLock(sock, held, limits.large))
        except FacematchError as error:
            held.to(None)
            sock.send(messages.REFUSED + str(error).encode()[: messages.LONGEST_MESSAGE - 1])
            continue
        held.to(None)
        _hand_over(sock, photo, message[1], buffers)
        del data, photo


def _hand_over(sock: socket.socket, photo: Photo, buffer: int, buffers: dict[int, messages.Buffer]) -> None:
    message = messages.pixels_message(photo)
    if buffer < messages.BUFFERS and photo.pixels.size <= messages.BUFFER_BYTES:
        if buffer not in buffers:
            buffers[buffer] = messages.Buffer()
        buffers[buffer].put(photo.pixels)
        socket.send_fds(sock, [message], [buffers[buffer].handle])
        return
    handle = messages.put(photo.pixels.data)
    socket.send_fds(sock, [message], [handle])
    os.close(handle)


class _Held:
    """Enforces an allowance on this process."""

    def __init__(self, limits: DecoderLimits) -> None:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        self._base = pages * resource.getpagesize()
        self._most = self._base + limits.large.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (self._most, self._most))

    def to(self, allowance: Allowance | None) -> None:
        """Restart the CPU clock and set the memory limit. None stops the clock, between photos."""
        # Counts user and system time of all threads; at the end, the kernel kills the process with SIGPROF.
        signal.setitimer(signal.ITIMER_PROF, 0.0 if allowance is None else allowance.cpu_seconds)
        memory = self._most if allowance is None else self._base + allowance.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (memory, self._most))


class _LargePhotoLock:
    """Asks the service for its lock for large photos. The service releases the lock when it has the photo."""

    def __init__(self, sock: socket.socket, held: _Held, allowance: Allowance) -> None:
        self._sock = sock
        self._held = held
        self._allowance = allowance

    def __enter__(self) -> None:
        self._sock.send(messages.WANTS_LOCK)
        message, _ = messages.received(self._sock)
        if message != messages.GO:
            os._exit(0)
        self._held.to(self._allowance)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
