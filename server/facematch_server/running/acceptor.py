"""Accepts connections, counts them from their first moment, and refuses those beyond the limit.

asyncio's own server accepts every connection and reports it only after its TLS handshake: clients that never complete
the handshake would hold uncounted descriptors.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from facematch_server.running.http_protocol import LimitedH11Protocol
from facematch_server.running.raw_replies import raw_failure

_TOO_MANY: Final = raw_failure(503, "Too many connections, try again later", retry_after=1)
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# Number of refused connections that may still finish sending, and for how long; otherwise their reply may be lost.
_TURNED_AWAY: Final = 16
_TURNED_AWAY_SECONDS: Final = 1.0
_TLS_GOODBYE_SECONDS: Final = 2.0

_logger = logging.getLogger(__name__)


Pause = Callable[[], float]


class Acceptor:
    """The connections of some listening sockets, in the form that uvicorn expects of a server."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        protocol: Callable[[], LimitedH11Protocol],
        tls: ssl.SSLContext | None,
        *,
        max_connections: int,
        handshake_seconds: float,
        pause: Pause | None = None,
    ) -> None:
        """`start` begins to accept.

        Args:
            sockets: listening sockets; the caller closes them.
            protocol: makes the protocol of one connection.
            tls: None for plain HTTP.
            max_connections: largest number of open connections, unfinished handshakes included.
            handshake_seconds: time for the handshake.
            pause: seconds for which to leave a new connection to other processes that accept on the same sockets.
        """
        self._sockets = sockets
        self._protocol = protocol
        self._tls = tls
        self._max_connections = max_connections
        self._handshake_seconds = handshake_seconds
        self._pause = pause
        self._open = 0
        self._leaving = 0
        self._accepting: list[asyncio.Task[None]] = []
        self._connections: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to accept connections."""
        for sock in self._sockets:
            sock.setblocking(False)
            self._accepting.append(asyncio.create_task(self._accept(sock)))

    def close(self) -> None:
        """Accept no more connections; open ones stay open."""
        for task in self._accepting:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until no connection is being accepted."""
        await asyncio.gather(*self._accepting, return_exceptions=True)

    async def _accept(self, sock: socket.socket) -> None:
        while True:
            try:
                connection = await self._next(sock)
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    _logger.warning("no further connections can be accepted: out of descriptors or memory")
                    await asyncio.sleep(0.2)
            else:
                self._take(connection)
            # A flood of connections must not hold the event loop.
            await asyncio.sleep(0)

    async def _next(self, sock: socket.socket) -> socket.socket:
        loop = asyncio.get_running_loop()
        if self._pause is None:
            return (await loop.sock_accept(sock))[0]
        while True:
            await _readable(loop, sock)
            if (seconds := self._pause()) > 0:
                await asyncio.sleep(seconds)
            try:
                connection = sock.accept()[0]
            except (BlockingIOError, ConnectionAbortedError):  # another process was faster
                continue
            connection.setblocking(False)
            return connection

    def _take(self, connection: socket.socket) -> None:
        if self._open < self._max_connections:
            self._open += 1
            self._spawn(self._serve(connection))
        elif self._tls is None and self._leaving < _TURNED_AWAY:
            self._leaving += 1
            self._spawn(self._turn_away(connection))
        else:
            connection.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, connection: socket.socket) -> None:
        made: list[LimitedH11Protocol] = []

        def protocol() -> LimitedH11Protocol:
            made.append(self._protocol())
            return made[0]

        try:
            with contextlib.suppress(OSError):
                # Head and body of a reply are written separately; without this the body waits 40 ms for the
                # acknowledgement of the head. asyncio sets it only on sockets that name their protocol.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                await asyncio.get_running_loop().connect_accepted_socket(
                    protocol,
                    connection,
                    ssl=self._tls,
                    ssl_handshake_timeout=self._handshake_seconds if self._tls else None,
                    # Do not wait for the client to agree to the end; asyncio would wait 30 seconds.
                    ssl_shutdown_timeout=_TLS_GOODBYE_SECONDS if self._tls else None,
                )
            except OSError as error:  # not TLS, no common version, too late, or closed: no reply is possible
                _logger.debug("a connection failed before its handshake: %s", type(error).__name__)
                connection.close()
                return
            await made[0].closed.wait()
        finally:
            self._open -= 1

    async def _turn_away(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_TURNED_AWAY_SECONDS):
                    await loop.sock_sendall(connection, _TOO_MANY)
                    connection.shutdown(socket.SHUT_WR)
                    while await loop.sock_recv(connection, 65536):
                        pass
        finally:
            self._leaving -= 1
            connection.close()


async def _readable(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
    event = asyncio.Event()
    loop.add_reader(sock, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(sock)
