"""Limits on connections that uvicorn does not have: on their number, on slow heads and on endless bodies."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from facematch_server.wire import print_failure


class LimitedH11Protocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with a limit on open connections and a time for what nobody waits for.

    A request being handled has its own limits (the time for its body, the deadline). This class covers the
    rest: a head that does not end, and what a client still sends after its reply has gone out.
    """

    head_seconds: float = 10.0
    linger_seconds: float = 15.0
    max_connections: int = 1000

    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection, or turn it away when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.write(_TOO_MANY)
            transport.close()
            return
        self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer with the connection."""
        self._wait(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; the clock of the head starts with its first byte on a kept connection."""
        if self.transport.is_closing():
            return
        idle = self._overdue is None and self.conn.our_state is h11.IDLE
        super().data_received(data)
        if self._request_under_way():
            self._wait(None)
        elif idle and not self.transport.is_closing():
            self._wait(self.head_seconds)

    def on_response_complete(self) -> None:
        """After the reply: the rest of the body may come, but not for ever."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self._wait(self.linger_seconds)

    def _request_under_way(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self, seconds: float | None) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
        self._overdue = None if seconds is None else self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        self._overdue = None
        if not self.transport.is_closing():
            self.transport.close()


def limited_protocol(head_seconds: float, linger_seconds: float, max_connections: int) -> type[LimitedH11Protocol]:
    """The protocol class with these limits, as uvicorn wants it: it creates the instances itself."""
    limits: dict[str, Any] = {
        "head_seconds": head_seconds,
        "linger_seconds": linger_seconds,
        "max_connections": max_connections,
    }
    return type("ConfiguredH11Protocol", (LimitedH11Protocol,), limits)


def _raw_503() -> bytes:
    body = print_failure(503, "Too many connections, try again later")
    head = (
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n"
        f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


_TOO_MANY = _raw_503()
