"""Fetching: a table of hostile URLs, hostile servers, and the URLs of honest clients."""

from __future__ import annotations

import asyncio
import functools
import gzip
import random
import shutil
import ssl
import subprocess
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpcore
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from facematch_server.http.http1 import FREE_CHUNKS
from facematch_server.url_mode.errors import Reason, UrlUnavailableError
from facematch_server.url_mode.fetch import Fetcher, FetchLimits
from facematch_server.url_mode.policy import UrlPolicy
from facematch_server.url_mode.reply_stream import MAX_INTERIM

pytestmark = pytest.mark.anyio

PUBLIC_ADDRESS = "93.184.216.34"
LIMITS = FetchLimits(max_bytes=100_000, connect_seconds=2.0, total_seconds=5.0)
LOCAL = UrlPolicy("auto", loopback_only=True)
PUBLIC = UrlPolicy("auto")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Network(httpcore.AsyncNetworkBackend):
    """Notes which addresses are connected to, and leads all of them to one local port (0: to nowhere)."""

    def __init__(self, port: int = 0) -> None:
        self.connected: list[tuple[str, int]] = []
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


# -- the table -------------------------------------------------------------------------------------------

# Every one of them is refused under `public` without a connection being tried. The resolver answers like a
# generous one would: names of the table lead where their comment says.
NAMES: dict[str, Sequence[Sequence[str]]] = {
    "localhost": [["127.0.0.1", "::1"]],
    "foo.localhost": [["127.0.0.1"]],
    "localtest.me": [["127.0.0.1"]],
    "127.0.0.1.nip.io": [["127.0.0.1"]],
    "private.example": [["10.0.0.1"]],
    "mapped.example": [["::ffff:10.0.0.1"]],
    "sixtofour.example": [["2002:7f00:1::"]],
    "nat64.example": [["64:ff9b::7f00:1"]],
    "metadata.example": [["169.254.169.254"]],
    "metadata6.example": [["fd00:ec2::254"]],
    "linklocal.example": [["fe80::1%eth0"]],
    "zero.example": [["0.0.0.0"]],  # noqa: S104
    "several.example": [["127.0.0.1", "10.0.0.1", "::1", "fe80::1"]],
    "nothing.example": [[]],
    "public.example": [[PUBLIC_ADDRESS]],
    "evil.example": [[PUBLIC_ADDRESS]],
}

HOSTILE = [
    # loopback, spelt in every way
    "http://127.0.0.1/",
    "http://127.0.0.1:8080/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.000.000.001/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://127.0.0.1./",
    "http://127.8.8.8/",
    "http://0/",
    "http://0.0.0.0/",
    "http://00000/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://foo.localhost/",
    "http://localtest.me/",
    "http://127.0.0.1.nip.io/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    # private, link-local, shared, reserved, multicast
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://3232235777/",
    "http://100.64.0.1/",
    "http://169.254.1.1/",
    "http://192.0.0.1/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[fc00::1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://private.example/",
    "http://mapped.example/",
    "http://sixtofour.example/",
    "http://nat64.example/",
    "http://linklocal.example/",
    "http://zero.example/",
    "http://several.example/",
    # metadata services
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fd00:ec2::254]/",
    "http://[fd20:ce::254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://169.254.170.2/v2/credentials",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./",
    "http://metadata.example/",
    "http://metadata6.example/",
    # digits, dots and letters that are not ASCII
    "http://①②⑦.⓪.⓪.①/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://１６９。２５４。１６９。２５４/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://loc\u00adalhost/",
    "http://loc\u200balhost/",
    "http://evil.example\u2100/",
    "http://evil\u2024example/x\u0000",
    # user names, and texts that look like different hosts to different parsers
    "http://user:secret@public.example/",
    "http://@public.example/",
    "http://public.example@127.0.0.1/",
    "http://public.example:80@127.0.0.1/",
    "http://127.0.0.1:80\\@public.example/",
    "http://public.example\\@127.0.0.1/",
    "http://127.0.0.1\\public.example/",
    "http://public.example%2f@127.0.0.1/",
    "http://public.example%00.127.0.0.1/",
    "http://127.0.0.1%2epublic.example/",
    "http://%31%32%37.0.0.1/",
    "http:/\\127.0.0.1/",
    "http:\\\\127.0.0.1/",
    "http:/127.0.0.1/",
    "http:127.0.0.1/",
    "http:///127.0.0.1/",
    "http:// 127.0.0.1/",
    "http://public .example/",
    "ht\ttp://127.0.0.1/",
    "http://127.0.\t0.1/",
    "http://127.0.0.1\n.public.example/",
    "http://public.example/\r\nHost: 127.0.0.1",
    "http://public.example:80:80/",
    "http://public.example:0/",
    "http://public.example:65536/",
    "http://public.example:８０/",
    "http://public.example:-80/",
    "http://[::1/",
    "http://::1/",
    "http://[127.0.0.1]/",
    "http://[::1]public.example/",
    "http://.public.example/",
    "http://public..example/",
    "http://-/",
    # other schemes
    "file:///etc/passwd",
    "ftp://public.example/",
    "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/",
    "jar:http://127.0.0.1!/",
    "data:image/png;base64,AAAA",
    "unix:/run/docker.sock",
    "//127.0.0.1/",
    "/etc/passwd",
    "",
    # ports of other protocols
    "http://public.example:22/",
    "http://public.example:25/",
    "http://public.example:6379/",
    "http://public.example:11211/",
]


def test_the_table_is_as_long_as_promised() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 60


@pytest.mark.parametrize("url", HOSTILE)
async def test_hostile_urls_are_refused_without_a_connection(url: str) -> None:
    network = Network()
    names = Names()
    names._answers = {name: list(lists) for name, lists in NAMES.items()}
    assert await refused(url, PUBLIC, network=network, resolver=names) in (Reason.MALFORMED, Reason.FORBIDDEN)
    assert network.connected == []


async def test_the_tables_harmless_host_would_have_been_connected_to() -> None:
    # Otherwise the test above could pass for the wrong reason.
    network = Network()
    assert (
        await refused(
            "http://public.example/", PUBLIC, network=network, resolver=Names(public_example=[[PUBLIC_ADDRESS]])
        )
        is Reason.UNREACHABLE
    )
    assert network.connected == [(PUBLIC_ADDRESS, 80)]


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://[fd00:ec2::254]/",
        "http://169.254.9.9/",
        "http://[fe80::1]/",
        "http://metadata/",
    ],
)
async def test_metadata_and_link_local_are_refused_on_a_loopback_service_too(url: str) -> None:
    network = Network()
    assert await refused(url, LOCAL, network=network) is Reason.FORBIDDEN
    assert network.connected == []


async def test_off_refuses_everything() -> None:
    network, names = Network(), Names()
    policy = UrlPolicy("off", loopback_only=True)
    for url in ("http://127.0.0.1/", f"http://{PUBLIC_ADDRESS}/", "http://public.example/"):
        assert await refused(url, policy, network=network, resolver=names) is Reason.FORBIDDEN
    assert (network.connected, names.asked) == ([], [])


# -- the address checked is the address connected to -----------------------------------------------------


async def test_a_name_is_resolved_once_per_connection() -> None:
    names = Names(rebind_example=[[PUBLIC_ADDRESS], ["127.0.0.1"]])
    async with server(reply()) as (port, heads):
        network = Network(port)
        fetcher = Fetcher(PUBLIC, LIMITS, resolver=names, network=network)
        assert await fetcher.fetch("http://rebind.example/x") == b"photo"
        assert names.asked == ["rebind.example"]
        assert network.connected == [(PUBLIC_ADDRESS, 80)]
        assert b"\r\nHost: rebind.example\r\n" in heads[0]
        # The next request asks again, and now the name leads inside.
        with pytest.raises(UrlUnavailableError) as raised:
            await fetcher.fetch("http://rebind.example/x")
        assert raised.value.reason is Reason.FORBIDDEN
        assert len(network.connected) == 1
        await fetcher.aclose()


async def test_a_name_that_changes_between_redirects_is_checked_again() -> None:
    names = Names(rebind_example=[[PUBLIC_ADDRESS], ["10.0.0.1"]])
    async with server(redirect("http://rebind.example/again")) as (port, _):
        network = Network(port)
        assert await refused("http://rebind.example/", PUBLIC, resolver=names, network=network) is Reason.FORBIDDEN
        assert network.connected == [(PUBLIC_ADDRESS, 80)]


async def test_of_several_addresses_only_permitted_ones_are_tried() -> None:
    names = Names(mixed_example=[["127.0.0.1", PUBLIC_ADDRESS, "10.0.0.1", PUBLIC_ADDRESS, "::1"]])
    async with server(reply()) as (port, _):
        network = Network(port)
        assert await fetch("http://mixed.example/", PUBLIC, resolver=names, network=network) == b"photo"
        assert network.connected == [(PUBLIC_ADDRESS, 80)]


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with server(reply()) as (port, _):
        names = Names(images_example=[["::1", "127.0.0.1"]])  # the server listens on IPv4 only
        assert await fetch(f"http://images.example:{port}/", resolver=names) == b"photo"


# -- redirects -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_redirects_are_followed(status: str) -> None:
    async with (
        server(reply(b"there")) as (port, _),
        server(redirect(f"http://127.0.0.1:{port}/b", status)) as (first, _),
    ):
        assert await fetch(f"http://127.0.0.1:{first}/a") == b"there"


@pytest.mark.parametrize(("redirects", "arrives"), [(3, True), (4, False)])
async def test_at_most_three_redirects(redirects: int, arrives: bool) -> None:
    async def count_down(head: bytes, writer: asyncio.StreamWriter) -> None:
        left = int(head.split()[1][1:])
        await (redirect(f"/{left - 1}") if left else reply())(head, writer)

    async with server(count_down) as (port, heads):
        url = f"http://127.0.0.1:{port}/{redirects}"
        if arrives:
            assert await fetch(url) == b"photo"
        else:
            assert await refused(url) is Reason.REDIRECT
        assert len(heads) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/?secret",
        "http://2130706433/",
        "http://private.example/",
        "//10.0.0.1/",
        "file:///etc/passwd",
        "http://user:secret@public.example/",
        "http://public.example:22/",
        "gopher://127.0.0.1/",
        "http://public.example\\@127.0.0.1/",
    ],
)
async def test_redirects_to_forbidden_places_are_not_followed(location: str) -> None:
    names = Names(public_example=[[PUBLIC_ADDRESS]], private_example=[["10.0.0.1"]])
    async with server(redirect(location)) as (port, _):
        network = Network(port)
        reason = await refused("http://public.example/", PUBLIC, resolver=names, network=network)
        assert reason in (Reason.FORBIDDEN, Reason.MALFORMED)
        assert network.connected == [(PUBLIC_ADDRESS, 80)]


async def test_a_redirect_without_a_place_ends() -> None:
    async with server(reply(b"", "302 Found")) as (port, _):
        assert await refused(f"http://127.0.0.1:{port}/") is Reason.REDIRECT


# -- servers that misbehave ------------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"
QUICK = FetchLimits(max_bytes=100_000, connect_seconds=0.3, total_seconds=0.3)


def trickle(first: bytes) -> Handler:
    async def handler(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    return handler


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
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


# -- encodings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "body", "outcome"),
    [
        ("gzip", gzip.compress(b"photo"), b"photo"),
        ("GZIP", gzip.compress(b"photo"), b"photo"),
        ("deflate", zlib.compress(b"photo"), b"photo"),
        ("identity", b"photo", b"photo"),
        ("base64", b"photo", b"photo"),
        ("gzip", gzip.compress(b"x" * 100_000), b"x" * 100_000),
        ("gzip", gzip.compress(b"x" * 100_001), Reason.TOO_LARGE),
        ("gzip", gzip.compress(b"\0" * 50_000_000), Reason.TOO_LARGE),
        ("gzip", gzip.compress(b"photo")[:-9], Reason.BODY),
        ("gzip", b"photo", Reason.BODY),
        ("gzip", b"", Reason.BODY),
        ("br", b"photo", Reason.BODY),
        ("zstd", b"photo", Reason.BODY),
        ("gzip, gzip", gzip.compress(gzip.compress(b"photo")), Reason.BODY),
    ],
    ids=range(14),
)
async def test_encodings_are_undone_within_the_limit(encoding: str, body: bytes, outcome: bytes | Reason) -> None:
    async with server(reply(body, headers=f"Content-Encoding: {encoding}\r\n")) as (port, heads):
        url = f"http://127.0.0.1:{port}/"
        if isinstance(outcome, bytes):
            assert await fetch(url) == outcome
        else:
            assert await refused(url) is outcome
        assert b"\r\nAccept-Encoding: identity\r\n" in heads[0]


# -- the content of a request ---------------------------------------------------------------------------


async def test_nothing_of_the_service_goes_along(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with server(reply()) as (proxy, proxied), server(reply(headers="Set-Cookie: a=secret\r\n")) as (port, heads):
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://user:secret@127.0.0.1:{proxy}")
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login user password secret\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        fetcher = Fetcher(LOCAL, LIMITS)
        for _ in range(2):
            assert await fetcher.fetch(f"http://127.0.0.1:{port}/") == b"photo"
        await fetcher.aclose()
    assert proxied == []
    assert heads[0] == heads[1]
    names = {line.split(b":")[0].lower() for line in heads[0].split(b"\r\n")[1:] if line}
    assert names == {b"host", b"user-agent", b"accept", b"accept-encoding", b"connection"}


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/ảnh thẻ (1).jpg", b"/%E1%BA%A3nh%20th%E1%BA%BB%20(1).jpg"),
        ("/a?name=Nguyễn Văn A&x=1", b"/a?name=Nguy%E1%BB%85n%20V%C4%83n%20A&x=1"),
        ("/a%20b?sig=a%2Bb%3D", b"/a%20b?sig=a%2Bb%3D"),
        ("/100%.jpg#top", b"/100%25.jpg"),
        ("?u=http://x/y?z", b"/?u=http://x/y?z"),
    ],
)
async def test_urls_as_clients_send_them_arrive(path: str, sent: bytes) -> None:
    async with server(reply(headers="Content-Type: text/html\r\n")) as (port, heads):
        assert await fetch(f"  http://127.0.0.1:{port}{path}\n") == b"photo"
        assert heads[0].split()[1] == sent
        assert f"\r\nHost: 127.0.0.1:{port}\r\n".encode() in heads[0]


async def test_redirects_with_letters_of_any_script_arrive() -> None:
    async def handler(head: bytes, writer: asyncio.StreamWriter) -> None:
        await (redirect("/ảnh thẻ.jpg") if head.startswith(b"GET /a ") else reply())(head, writer)

    async with server(handler) as (port, heads):
        assert await fetch(f"http://127.0.0.1:{port}/a") == b"photo"
        assert heads[1].split()[1] == b"/%E1%BA%A3nh%20th%E1%BA%BB.jpg"


async def test_many_at_once() -> None:
    async with server(reply()) as (port, heads):
        fetcher = Fetcher(LOCAL, LIMITS)
        assert await asyncio.gather(*(fetcher.fetch(f"http://127.0.0.1:{port}/") for _ in range(50))) == [b"photo"] * 50
        await fetcher.aclose()
        assert len(heads) == 50


async def test_no_connection_stays_open_whatever_happened() -> None:
    handlers = {
        b"/ok": reply(),
        b"/status": reply(status="404 Not Found"),
        b"/redirect": redirect("/ok"),
        b"/large": reply(b"x" * 200_000),
        b"/drip": trickle(OK + b"\r\n"),
        b"/garbage": trickle(b"SSH-2.0"),
        b"/short": reply(b"", headers="X: y\r\nContent-Length: 7\r\n"),
    }

    async def handler(head: bytes, writer: asyncio.StreamWriter) -> None:
        await handlers[head.split()[1]](head, writer)

    async with server(handler) as (port, heads):
        fetcher = Fetcher(LOCAL, QUICK, ssl_context=trusting_nobody())
        urls = [f"http://127.0.0.1:{port}{path.decode()}" for path in handlers]
        results = await asyncio.gather(*(fetcher.fetch(url) for url in urls * 3), return_exceptions=True)
        assert {type(result) for result in results} <= {bytes, UrlUnavailableError}
        assert len(heads) >= len(urls)
        # And when the caller goes away.
        task = asyncio.create_task(fetcher.fetch(f"http://127.0.0.1:{port}/drip"))
        while not fetcher._pool.connections:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert fetcher._pool.connections == []
        await fetcher.aclose()


# -- TLS -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for images.example and its key, made by the openssl program."""
    if not shutil.which("openssl"):
        pytest.skip("needs the openssl program")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=images.example", "-addext", "subjectAltName=DNS:images.example"]
    subprocess.run([*command, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)  # noqa: S603
    return certificate, key


async def test_tls_names_the_host_and_checks_its_certificate(certificate: tuple[Path, Path]) -> None:
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(*certificate)
    asked: list[str | None] = []
    serving.sni_callback = lambda _socket, name, _context: asked.append(name)
    trusting = ssl.create_default_context(cafile=certificate[0])
    names = Names(images_example=[[PUBLIC_ADDRESS]], other_example=[[PUBLIC_ADDRESS]])
    async with server(reply(), serving) as (port, heads):
        network = Network(port)
        options: dict[str, Any] = {"resolver": names, "network": network}
        assert await fetch("https://images.example/", PUBLIC, ssl_context=trusting, **options) == b"photo"
        assert asked == ["images.example"]
        assert network.connected == [(PUBLIC_ADDRESS, 443)]
        assert b"\r\nHost: images.example\r\n" in heads[0]
        assert await refused("https://other.example/", PUBLIC, ssl_context=trusting, **options) is Reason.UNREACHABLE
        by_default = None
        assert await refused("https://images.example/", PUBLIC, ssl_context=by_default, **options) is Reason.UNREACHABLE
        assert len(heads) == 1


async def test_a_redirect_from_https_to_http_is_not_followed(certificate: tuple[Path, Path]) -> None:
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(*certificate)
    async with server(redirect("http://images.example/"), serving) as (port, heads):
        reason = await refused(
            "https://images.example/",
            PUBLIC,
            resolver=Names(images_example=[[PUBLIC_ADDRESS]]),
            network=Network(port),
            ssl_context=ssl.create_default_context(cafile=certificate[0]),
        )
        assert reason is Reason.REDIRECT
        assert len(heads) == 1


# -- replies that browsers and curl read -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        "Content Type: image/jpeg",
        "X/Cache: HIT",
        "Content-Type : image/jpeg",
        "X-Tên: ảnh",
        "X(y): 1\r\n folded\r\n\tagain",
        ": no name",
        "X: control \x01 inside",
        "Transfer-Encoding: identity",
        "TRANSFER-ENCODING:identity\r\nTransfer-Encoding: identity",
        "Content-Length : 5",
    ],
    ids=ascii,
)
async def test_headers_that_are_none_do_no_harm(headers: str) -> None:
    async def handler(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{headers}\r\nX-Good: 1\r\n\r\n".encode() + b"photo")

    async with server(handler) as (port, _):
        assert await fetch(f"http://127.0.0.1:{port}/") == b"photo"


@pytest.mark.parametrize("headers", ["Content-Length: 5\r\n", "Transfer-Encoding: identity\r\nContent-Length: 5\r\n"])
async def test_a_stated_length_still_holds(headers: str) -> None:
    async def handler(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nX Y: 1\r\n{headers}\r\n".encode() + b"pho")

    async with server(handler) as (port, _):
        assert await refused(f"http://127.0.0.1:{port}/") is Reason.UNREACHABLE


@pytest.mark.parametrize("interim", [1, MAX_INTERIM])
async def test_interim_replies_are_passed_over(interim: int) -> None:
    async def handler(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * interim)
        await reply()(head, writer)

    async with server(handler) as (port, _):
        assert await fetch(f"http://127.0.0.1:{port}/") == b"photo"


@pytest.mark.parametrize("status", ["100 Continue", "103 Early Hints", "199 x"])
async def test_interim_replies_without_end_are_unavailable(status: str) -> None:
    async def handler(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode() * (MAX_INTERIM + 1))
        await reply()(head, writer)

    async with server(handler) as (port, _):
        assert await refused(f"http://127.0.0.1:{port}/") is Reason.UNREACHABLE


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_chunks_of_any_size_until_they_are_crumbs(size: int) -> None:
    body = random.Random(3).randbytes(60_000)  # noqa: S311

    async def handler(_head: bytes, writer: asyncio.StreamWriter) -> None:
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        coded = b"".join(b"%X; x=y\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n" + coded + b"0\r\nX: 1\r\n\r\n")

    async with server(handler) as (port, _):
        if len(body) / size > FREE_CHUNKS:
            assert await refused(f"http://127.0.0.1:{port}/") is Reason.UNREACHABLE
        else:
            assert await fetch(f"http://127.0.0.1:{port}/") == body


# -- two photos ------------------------------------------------------------------------------------------


class Scripted(Fetcher):
    """Gives a photo, an error or nothing by URL."""

    async def fetch(self, url: str) -> bytes:
        if url == "hangs":
            await anyio.sleep(30)
        if url == "bug":
            raise KeyError(url)
        if url.startswith("photo"):
            return url.encode()
        await anyio.sleep(0 if url == "second" else 0.05)
        raise UrlUnavailableError(Reason.STATUS, url)


async def both(url1: str, url2: str, seconds: float = 20) -> tuple[bytes, bytes]:
    fetcher = Scripted(LOCAL)
    try:
        return await fetcher.fetch_both(url1, url2, time.monotonic() + seconds)
    finally:
        await fetcher.aclose()


async def test_both_photos_come_in_their_order() -> None:
    assert await both("photo 1", "photo 2") == (b"photo 1", b"photo 2")


async def test_the_first_photo_s_error_counts_also_if_the_second_fails_earlier() -> None:
    with pytest.raises(UrlUnavailableError, match="first"):
        await both("first", "second")
    with pytest.raises(UrlUnavailableError, match="second"):
        await both("photo", "second")
    with pytest.raises(KeyError):
        await both("bug", "second")


async def test_both_end_at_the_deadline() -> None:
    with pytest.raises(UrlUnavailableError) as raised:
        await both("photo", "hangs", 0.05)
    assert raised.value.reason is Reason.TIMEOUT
