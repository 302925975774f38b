"""Counts the round trips to PostgreSQL: a socket between client and server that sees every change of direction."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_SOCKET = ".s.PGSQL.5432"


@dataclass(slots=True)
class Counter:
    """What passed the socket.

    Attributes:
        folder: of the socket, for the URL.
        round_trips: times that the client spoke after the server, or first.
    """

    folder: Path
    round_trips: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def counted(server_folder: Path) -> Iterator[Counter]:
    """Open a socket that passes everything on to the server's, and count."""
    with tempfile.TemporaryDirectory(prefix="fm-count-") as name, socket.socket(socket.AF_UNIX) as listener:
        counter = Counter(Path(name))
        listener.bind(str(counter.folder / _SOCKET))
        listener.listen()
        acceptor = threading.Thread(target=_accept, args=(listener, server_folder, counter), daemon=True)
        acceptor.start()
        yield counter


def _accept(listener: socket.socket, server_folder: Path, counter: Counter) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:  # closed
            return
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(server_folder / _SOCKET))
        turn = _Turn(counter)
        for source, target, speaks in ((client, server, turn.client), (server, client, turn.server)):
            threading.Thread(target=_pass_on, args=(source, target, speaks), daemon=True).start()


class _Turn:
    """Whose turn it is on one connection."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._client_spoke = False

    def client(self) -> None:
        if not self._client_spoke:
            with self._counter.lock:
                self._counter.round_trips += 1
        self._client_spoke = True

    def server(self) -> None:
        self._client_spoke = False


def _pass_on(source: socket.socket, target: socket.socket, speaks: Callable[[], None]) -> None:
    try:
        while data := source.recv(65_536):
            speaks()
            target.sendall(data)
    except OSError:  # the other side is closed
        pass
    # Not `close`: it would not wake the thread of the other direction.
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
