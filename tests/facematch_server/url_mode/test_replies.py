"""Replies of honest image servers: encodings, and what browsers and curl read."""

from __future__ import annotations

import asyncio
import gzip
import random
import zlib

import pytest

from facematch_server.http.http1 import FREE_CHUNKS
from facematch_server.url_mode.errors import Reason
from facematch_server.url_mode.reply_stream import MAX_INTERIM
from tests.facematch_server.url_mode.image_servers import (
    fetch,
    refused,
    reply,
    server,
)

pytestmark = pytest.mark.anyio


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
