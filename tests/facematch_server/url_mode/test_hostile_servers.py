"""Image servers that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpcore
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from facematch_server.url_mode.errors import Reason, UrlUnavailableError
from tests.facematch_server.url_mode.image_servers import (
    LIMITS,
    QUICK,
    Names,
    fetch,
    redirect,
    refused,
    reply,
    server,
    trickle,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["status line", "header", "stated length", "no length"],
)
async def test_a_server_that_drips_is_left_when_the_time_is_up(first: bytes) -> None:
    async with server(trickle(first)) as (port, _):
        assert await refused(f"http://127.0.0.1:{port}/", limits=QUICK) is Reason.TIMEOUT


async def test_a_server_that_says_nothing_is_left() -> None:
    async def silent(_head: bytes, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with server(silent) as (port, _):
        assert await refused(f"http://127.0.0.1:{port}/", limits=QUICK) is Reason.TIMEOUT


async def test_a_look_up_that_hangs_is_left() -> None:
    async def never(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(30)
        return []

    assert await refused("http://public.example/", limits=QUICK, resolver=never) is Reason.TIMEOUT


async def test_redirects_share_the_time() -> None:
    async def slow_redirect(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await redirect("/")(head, writer)

    async with server(slow_redirect) as (port, _):
        assert await refused(f"http://127.0.0.1:{port}/", limits=QUICK) is Reason.TIMEOUT


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_without_end_is_left_at_the_limit(chunked: bool) -> None:
    sent = 0

    async def endless(_head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n" + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"\r\n"))
        while True:
            data = b"x" * 4096
            writer.write(b"1000\r\n" + data + b"\r\n" if chunked else data)
            await writer.drain()
            sent += 4096

    async with server(endless) as (port, _):
        assert await refused(f"http://127.0.0.1:{port}/") is Reason.TOO_LARGE
    assert sent < 10_000_000  # as much as fits into the socket's buffers


@pytest.mark.parametrize(("size", "fits"), [(100_000, True), (100_001, False)])
async def test_the_limit_itself_fits(size: int, fits: bool) -> None:
    async with server(reply(b"x" * size)) as (port, _):
        url = f"http://127.0.0.1:{port}/"
        if fits:
            assert len(await fetch(url)) == size
        else:
            assert await refused(url) is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("head", "body", "reason"),
    [
        ("Content-Length: 100", b"short", Reason.UNREACHABLE),
        ("Content-Length: 99999999999999999999", b"x", Reason.TOO_LARGE),
        ("Content-Length: 99999999999999999999999999", b"x", Reason.UNREACHABLE),
        ("Content-Length: 100001", b"x", Reason.TOO_LARGE),
        ("Content-Length: -1", b"x", Reason.UNREACHABLE),
        ("Content-Length: 5\r\nContent-Length: 6", b"photo", Reason.UNREACHABLE),
        ("Transfer-Encoding: chunked", b"zz\r\nphoto", Reason.UNREACHABLE),
        ("Transfer-Encoding: chunked", b"5\r\npho", Reason.UNREACHABLE),
        ("X: " + "y" * 200_000, b"", Reason.UNREACHABLE),
        ("no colon", b"", Reason.UNREACHABLE),
    ],
    ids=str,
)
async def test_lying_and_broken_replies(head: str, body: bytes, reason: Reason) -> None:
    async def handler(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + body)

    async with server(handler) as (port, _):
        assert await refused(f"http://127.0.0.1:{port}/") is reason


@pytest.mark.parametrize("garbage", [b"", b"\0" * 100, b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/9.9 what\r\n\r\n", b"photo"])
async def test_what_is_not_http_is_unavailable(garbage: bytes) -> None:
    async def handler(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(garbage)

    async with server(handler) as (port, _):
        assert await refused(f"http://127.0.0.1:{port}/") is Reason.UNREACHABLE


async def test_more_than_the_stated_length_is_not_read() -> None:
    async def handler(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nphoto and more")

    async with server(handler) as (port, _):
        assert await fetch(f"http://127.0.0.1:{port}/") == b"photo"


@pytest.mark.parametrize("status", ["201 Created", "204 No Content", "206 Partial", "300 Choices", "304 Same"])
@pytest.mark.parametrize("location", ["", "Location: /x\r\n"])
async def test_whatever_is_not_200_is_unavailable(status: str, location: str) -> None:
    async with server(reply(b"", status, location)) as (port, _):
        assert await refused(f"http://127.0.0.1:{port}/") is Reason.STATUS


@pytest.mark.parametrize("status", ["400 Bad", "401 Who", "403 Forbidden", "404 Not Found", "500 Oops", "503 Busy"])
async def test_error_pages_are_unavailable(status: str) -> None:
    async with server(reply(b"photo", status)) as (port, _):
        assert await refused(f"http://127.0.0.1:{port}/?secret") is Reason.STATUS


async def test_nobody_there() -> None:
    async with server(reply()) as (port, _):
        pass
    assert await refused(f"http://127.0.0.1:{port}/?secret") is Reason.UNREACHABLE
    assert await refused("http://no-such.example/?secret", resolver=Names()) is Reason.UNREACHABLE


REPLIES = st.lists(
    st.sampled_from(
        [
            *(
                b"HTTP/1.1 ",
                b"HTTP/1.0 ",
                b"200",
                b" OK",
                b"302",
                b"101",
                b"100",
                b"204",
                b"\r\n",
                b"\r\n\r\n",
                b"\n",
                b": ",
            ),
            *(b"Content-Length", b"Transfer-Encoding", b"Content-Encoding", b"Location", b"Connection", b"Upgrade"),
            *(b"5", b"-1", b"chunked", b"gzip", b"deflate", b"/", b"//", b"http://127.0.0.1/", b"0\r\n\r\n", b"photo"),
            *(b"HTTP/1.1 200 OK\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Location: /\r\n"),
        ]
    )
    | st.binary(max_size=8),
    max_size=12,
)


@given(REPLIES)
@example([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"photo"])
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_server_sends_gives_a_body_or_unavailable(chunks: list[bytes]) -> None:
    async def attempt() -> None:
        network = httpcore.AsyncMockBackend([*chunks, b""])
        try:
            body = await fetch("http://127.0.0.1/", network=network)
        except UrlUnavailableError:
            return
        assert b"".join(chunks).startswith(b"HTTP/1.")
        assert len(body) <= LIMITS.max_bytes

    asyncio.run(attempt())
