"""A decoder and the fork server as seen from the service: messages to and from them, and their ends."""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from facematch_server.decoding import messages
from facematch_server.decoding.errors import DecoderError
from facematch_server.decoding.limits import DecoderLimits

_START_SECONDS: Final = 60.0
# Time for the kernel to kill a process and for the fork server to report it.
_BURIAL_SECONDS: Final = 1.0

Command = Callable[[socket.socket, DecoderLimits], Sequence[str]]


class Decoder:
    """One decoder, as seen from the service.

    Attributes:
        number: its number in messages to the fork server.
        photos: number of photos it was given.
        worn: whether it must not be used again.
        gone: whether it has ended.
    """

    def __init__(self, number: int, sock: socket.socket, status: int) -> None:
        self.number = number
        self.photos = 0
        self.worn = False
        self.gone = False
        # A deque: threads take and give back without a lock.
        self._free = deque(range(messages.BUFFERS))
        self._buffer: int | None = None
        self._sock = sock
        self._status = status

    def send_photo(self, data: bytes) -> None:
        handle = messages.put(data)
        try:
            self._sock.settimeout(None)
            if self._buffer is None:
                self._buffer = self._free.popleft() if self._free else None
            buffer = messages.NO_BUFFER if self._buffer is None else self._buffer
            socket.send_fds(self._sock, [messages.PHOTO + bytes((buffer,))], [handle])
        except OSError:  # it ended before it got the photo
            self.gone = True
            raise BlamelessError from None
        finally:
            os.close(handle)

    def buffer_in_use(self) -> Callable[[], object] | None:
        """Mark the offered buffer as used by a photo; return the function that frees it."""
        buffer, self._buffer = self._buffer, None
        return None if buffer is None else partial(self._free.append, buffer)

    def send(self, message: bytes) -> None:
        try:
            self._sock.send(message)
        except OSError:
            raise EndedError(self.status()) from None

    def receive(self, until: float | None) -> tuple[bytes, list[int]]:
        """Its next message and the files with it.

        Raises:
            TimeoutError: no message before the moment (`time.monotonic`).
            EndedError: it has ended.
        """
        # A timeout of 0 would switch to non-blocking mode.
        self._sock.settimeout(None if until is None else max(until - time.monotonic(), 0.001))
        message, files = messages.received(self._sock)
        if not message:
            raise EndedError(self.status())
        return message, files

    def status(self) -> int:
        """Wait for its end; return its exit code, or the negative number of a signal.

        Raises:
            BlamelessError: it ended with the fork server.
        """
        self.gone = True
        if not _readable(self._status, _BURIAL_SECONDS):
            return 0
        report = os.read(self._status, messages.STATUS.size)
        if not report:
            raise BlamelessError
        return int(messages.STATUS.unpack(report)[0])

    def close(self) -> None:
        """Close the connection; an idle decoder then ends by itself."""
        self._sock.close()
        os.close(self._status)


class ForkServer:
    """The fork server; restarted when it has ended."""

    def __init__(self, command: Command, limits: DecoderLimits) -> None:
        self._command = command
        self._limits = limits
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._closed = False
        self._launch()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> None:
        self._control.settimeout(_START_SECONDS)
        try:
            message, _ = messages.received(self._control)
        except TimeoutError:
            message = b""
        self._control.settimeout(None)
        if message != messages.READY:
            raise DecoderError(
                "the processes that decode photos do not start; "
                "with FACEMATCH_DECODE_PROCESSES=0 photos are decoded in the service's own process"
            )

    def start_decoder(self) -> Decoder:
        number = next(self._numbers)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        status, report = os.pipe()
        try:
            with self._lock:
                if self._process.poll() is not None and not self._closed:
                    self._launch()
                socket.send_fds(self._control, [messages.ORDER.pack(messages.START, number)], [theirs.fileno(), report])
        except OSError:
            ours.close()
            os.close(status)
            raise
        finally:
            theirs.close()
            os.close(report)
        return Decoder(number, ours, status)

    def order(self, kind: bytes, number: int) -> None:
        with self._lock, contextlib.suppress(OSError):  # the fork server has ended, and the decoder with it
            self._control.send(messages.ORDER.pack(kind, number))

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._control.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _launch(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "OPENBLAS_NUM_THREADS": "1",  # numpy would start threads, which do not survive a fork
            "OMP_NUM_THREADS": "1",
        }
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                self._command(theirs, self._limits),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**_kept(os.environ), **environment},
                start_new_session=True,
            )
        self._control = ours


class EndedError(Exception):
    """A decoder ended; `code` is that of `os.waitstatus_to_exitcode`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class BlamelessError(Exception):
    """A decoder ended for a reason that is not its photo."""


def _kept(environment: Mapping[str, str]) -> dict[str, str]:
    # Decoders must not see database URLs and other secrets.
    return {name: value for name, value in environment.items() if not name.startswith("FACEMATCH_")}


def _readable(handle: int, seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        return bool(selector.select(seconds))
