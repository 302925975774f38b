"""Connections are accepted, counted and refused as told, without a service behind them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from facematch_server.running.acceptor import Acceptor

GREETING = b"hello"


class Greeter(asyncio.Protocol):
    """Greets, and stays until the client leaves."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(GREETING)

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set()


@contextlib.asynccontextmanager
async def accepting(
    most: int, pause: Callable[[], float] | None = None
) -> AsyncIterator[Callable[[], contextlib.AbstractAsyncContextManager[asyncio.StreamReader]]]:
    """`connected()` opens a connection to an acceptor of `most` connections, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as sock:

        @contextlib.asynccontextmanager
        async def connected() -> AsyncIterator[asyncio.StreamReader]:
            reader, writer = await asyncio.open_connection(*sock.getsockname())
            try:
                yield reader
            finally:
                writer.close()

        acceptor = Acceptor([sock], Greeter, None, max_connections=most, handshake_seconds=1, pause=pause)  # type: ignore[arg-type]
        acceptor.start()
        try:
            yield connected
        finally:
            acceptor.close()
            await acceptor.wait_closed()


async def first(reader: asyncio.StreamReader) -> bytes:
    """The first bytes of a connection; none where it was closed without a reply."""
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(12), 20)
    return b""


def test_connections_up_to_the_limit_are_served_and_further_ones_refused() -> None:
    async def scenario() -> None:
        async with accepting(2) as connected, connected() as one, connected() as two:
            assert [await first(one), await first(two)] == [GREETING] * 2
            async with connected() as three:
                assert await first(three) == b"HTTP/1.1 503"
                assert b"retry-after: 1\r\n" in (await asyncio.wait_for(three.read(), 20)).lower()

    asyncio.run(scenario())


def test_few_refused_connections_at_once_get_a_reply_and_the_others_are_closed() -> None:
    async def scenario() -> None:
        async with accepting(0) as connected, contextlib.AsyncExitStack() as stack:
            readers = [await stack.enter_async_context(connected()) for _ in range(17)]
            replies = [await first(reader) for reader in readers]
            assert replies == [b"HTTP/1.1 503"] * 16 + [b""]

    asyncio.run(scenario())


def test_a_new_connection_is_left_to_other_processes_for_the_pause_and_then_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses, slept, sleep = [0.05, 0.0, -1.0], [], asyncio.sleep

    async def noted(seconds: float) -> None:
        slept.append(seconds)
        await sleep(seconds)

    monkeypatch.setattr(asyncio, "sleep", noted)

    async def scenario() -> None:
        remaining = iter(pauses)
        async with accepting(3, lambda: next(remaining, 0.0)) as connected:
            for _ in pauses:
                async with connected() as reader:
                    assert await first(reader) == GREETING

    asyncio.run(scenario())
    assert [seconds for seconds in slept if seconds != 0] == [0.05]
