"""Image servers, networks and resolvers for tests, and calls of the fetcher."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpcore
import pytest

from facematch_server.url_mode.allowed_hosts import UrlPolicy
from facematch_server.url_mode.errors import Reason, UrlUnavailableError
from facematch_server.url_mode.fetch import Fetcher, FetchLimits

PUBLIC_ADDRESS = "93.184.216.34"
OK = b"HTTP/1.1 200 OK\r\n"
LIMITS = FetchLimits(max_bytes=100_000, connect_seconds=2.0, total_seconds=5.0)
QUICK = FetchLimits(max_bytes=100_000, connect_seconds=0.3, total_seconds=0.3)
LOCAL = UrlPolicy("auto", loopback_only=True)
PUBLIC = UrlPolicy("auto")


class Network(httpcore.AsyncNetworkBackend):
    """Notes which addresses are connected to, and leads all of them to one local port (0: to nowhere).

    Attributes:
        connected: address and port of each connection.
        waits: how long each would have been waited for, in seconds.
    """

    def __init__(self, port: int = 0) -> None:
        self.connected: list[tuple[str, int]] = []
        self.waits: list[float | None] = []
        self._port = port
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        self.waits.append(timeout)
        if not self._port:
            raise httpcore.ConnectError
        return await self._inner.connect_tcp("127.0.0.1", self._port, timeout, local_address, socket_options)


class Names:
    """A resolver: each look-up of a name takes the next of its answers; the last one stays."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(lists) for name, lists in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self._answers.get(host)
        if answers is None:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A raw server on loopback: its port, and the heads of the requests it got."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            heads.append(head)
            await handler(head, writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield listener.sockets[0].getsockname()[1], heads
    finally:
        listener.close()


def reply(body: bytes = b"photo", status: str = "200 OK", headers: str = "") -> Handler:
    async def handler(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)

    return handler


def trickle(first: bytes) -> Handler:
    """A server that sends a byte now and then, without end."""

    async def handler(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    return handler


def redirect(location: str, status: str = "302 Found") -> Handler:
    return reply(b"", status, f"Location: {location}\r\n")


@functools.cache
def trusting_nobody() -> ssl.SSLContext:
    """Saves most tests the reading of all certificate authorities."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def fetch(url: str, policy: UrlPolicy = LOCAL, **options: Any) -> bytes:
    options.setdefault("ssl_context", trusting_nobody())
    fetcher = Fetcher(policy, options.pop("limits", LIMITS), **options)
    try:
        return await fetcher.fetch(url)
    finally:
        await fetcher.aclose()


async def refused(url: str, policy: UrlPolicy = LOCAL, **options: Any) -> Reason:
    with pytest.raises(UrlUnavailableError) as raised:
        await fetch(url, policy, **options)
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None
    return raised.value.reason
