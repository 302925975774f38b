"""A decoder and the fork server, as the service sees them: what is sent to them, what comes back and how they end."""

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

from facematch_server.decoding import protocol
from facematch_server.decoding.errors import DecoderError
from facematch_server.decoding.limits import DecoderLimits

_START_SECONDS: Final = 60.0
# How long the kernel may take to end a process and the fork server to tell.
_BURIAL_SECONDS: Final = 1.0

Command = Callable[[socket.socket, DecoderLimits], Sequence[str]]


class Decoder:
    """One decoder, as the service sees it.

    Attributes:
        number: what it is called towards the fork server.
        photos: how many it was given.
        worn: it is not to be used again.
        gone: it has ended.
    """

    def __init__(self, number: int, sock: socket.socket, status: int) -> None:
        self.number = number
        self.photos = 0
        self.worn = False
        self.gone = False
        # Of a deque, what is taken and given back by different threads needs no lock.
        self._free = deque(range(protocol.SLOTS))
        self._slot: int | None = None
        self._sock = sock
        self._status = status

    def send_photo(self, data: bytes) -> None:
        handle = protocol.put(data)
        try:
            self._sock.settimeout(None)
            if self._slot is None:
                self._slot = self._free.popleft() if self._free else None
            slot = protocol.NO_SLOT if self._slot is None else self._slot
            socket.send_fds(self._sock, [protocol.PHOTO + bytes((slot,))], [handle])
        except OSError:  # it ended before it saw the photo
            self.gone = True
            raise BlamelessError from None
        finally:
            os.close(handle)

    def slot_in_use(self) -> Callable[[], object] | None:
        """Count the slot that was offered as taken by a photo; what gives it back."""
        slot, self._slot = self._slot, None
        return None if slot is None else partial(self._free.append, slot)

    def send(self, message: bytes) -> None:
        try:
            self._sock.send(message)
        except OSError:
            raise EndedError(self.status()) from None

    def receive(self, until: float | None) -> tuple[bytes, list[int]]:
        """What it says.

        Raises:
            TimeoutError: nothing until then (`time.monotonic`).
            EndedError: it has ended.
        """
        # A timeout of 0 would be another mode, in which nothing is waited for.
        self._sock.settimeout(None if until is None else max(until - time.monotonic(), 0.001))
        message, files = protocol.received(self._sock)
        if not message:
            raise EndedError(self.status())
        return message, files

    def status(self) -> int:
        """Its exit code, negative the signal, once it has ended.

        Raises:
            BlamelessError: the fork server ended, and it with that.
        """
        self.gone = True
        if not _readable(self._status, _BURIAL_SECONDS):
            return 0
        told = os.read(self._status, protocol.STATUS.size)
        if not told:
            raise BlamelessError
        return int(protocol.STATUS.unpack(told)[0])

    def close(self) -> None:
        """Let it go; one that is idle ends by itself."""
        self._sock.close()
        os.close(self._status)


class ForkServer:
    """The fork server, started anew when it has ended."""

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
            message, _ = protocol.received(self._control)
        except TimeoutError:
            message = b""
        self._control.settimeout(None)
        if message != protocol.READY:
            raise DecoderError(
                "the processes that decode photos do not start; "
                "with FACEMATCH_DECODE_PROCESSES=0 photos are decoded in the service's own process"
            )

    def start_decoder(self) -> Decoder:
        number = next(self._numbers)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        status, told = os.pipe()
        try:
            with self._lock:
                if self._process.poll() is not None and not self._closed:
                    self._launch()
                socket.send_fds(self._control, [protocol.ORDER.pack(protocol.START, number)], [theirs.fileno(), told])
        except OSError:
            ours.close()
            os.close(status)
            raise
        finally:
            theirs.close()
            os.close(told)
        return Decoder(number, ours, status)

    def order(self, kind: bytes, number: int) -> None:
        with self._lock, contextlib.suppress(OSError):  # it is gone, and the decoder with it
            self._control.send(protocol.ORDER.pack(kind, number))

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
            "OPENBLAS_NUM_THREADS": "1",  # numpy's would be started with it, and threads do not survive a fork
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
    """A decoder ended; `code` as `os.waitstatus_to_exitcode` gives it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class BlamelessError(Exception):
    """A decoder ended for another reason than its photo."""


def _kept(environment: Mapping[str, str]) -> dict[str, str]:
    # Database URLs and the like are no business of decoders.
    return {name: value for name, value in environment.items() if not name.startswith("FACEMATCH_")}


def _readable(handle: int, seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        return bool(selector.select(seconds))
