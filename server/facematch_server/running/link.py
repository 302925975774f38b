"""The line between the main process and one worker: the worker says that it is ready and, again and again, that its
event loop runs; the main process says stop.

A worker hears no signals: they reach a whole process group, and a worker must not take a signal to the group and the
main process's order for two orders. If the main process ends in any way, the line breaks, and the worker stops too.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

_READY: Final = b"R"
_ALIVE: Final = b"A"
_STOP: Final = b"S"
_ALIVE_SECONDS: Final = 1.0


class Heard(NamedTuple):
    """What a worker has said since it was last asked.

    Attributes:
        open: whether the line is open; the worker ends if it is not.
        ready: whether the worker has said that it answers requests.
    """

    open: bool
    ready: bool


class MainEnd:
    """The main process's end."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)

    def become_worker_end(self) -> WorkerEnd:
        """In the worker: its end of the line."""
        self._ours.close()
        return WorkerEnd(self._theirs)

    def become_main_end(self) -> None:
        """In the main process, once the worker is forked."""
        self._theirs.close()

    def fileno(self) -> int:
        """The descriptor, readable when the worker has something to say."""
        return self._ours.fileno()

    def hear(self) -> Heard:
        """What the worker has said; asked when the descriptor is readable."""
        try:
            said = self._ours.recv(4096)
        except OSError:
            said = b""
        return Heard(bool(said), _READY in said)

    def stop(self) -> None:
        """Tell the worker to stop; told twice, it stops at once."""
        with suppress(OSError):  # it has ended
            self._ours.send(_STOP)

    def close(self) -> None:
        """Close this end."""
        self._ours.close()


class WorkerEnd:
    """A worker's end.

    Attributes:
        broken: whether the main process has ended without an order to stop.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.broken = False
        self._ordered = False
        self._sock = sock
        self._sock.setblocking(False)

    def ready(self) -> None:
        """Say that the worker answers requests."""
        self._say(_READY)

    @contextmanager
    def calls(self, loop: asyncio.AbstractEventLoop, on_stop: Callable[[], None]) -> Iterator[None]:
        """Call `on_stop` in the loop for every order to stop, and when the main process ends.

        Meanwhile the loop says every second that it runs.
        """

        async def beat() -> None:
            while True:
                self._say(_ALIVE)
                await asyncio.sleep(_ALIVE_SECONDS)

        def hear() -> None:
            try:
                orders = self._sock.recv(64)
            except BlockingIOError:
                return
            except OSError:
                orders = b""
            if not orders:
                self.broken = True
                loop.remove_reader(self._sock)
                # After an order, the end of the main process is not another one.
                orders = b"" if self._ordered else _STOP
            self._ordered = True
            for _ in orders:
                on_stop()

        loop.add_reader(self._sock, hear)
        beating = loop.create_task(beat())
        try:
            yield
        finally:
            beating.cancel()
            loop.remove_reader(self._sock)

    def _say(self, word: bytes) -> None:
        with suppress(OSError):  # the main process has ended, or has been stopped for so long that the line is full
            self._sock.send(word)
