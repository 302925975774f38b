"""The bytes of a client on their way to h11."""

from __future__ import annotations

import itertools
import random

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facematch_server.http.http1 import (
    CHUNKS_AT_ONCE,
    FREE_CHUNKS,
    LEAST_AVERAGE,
    MAX_HEAD,
    MAX_HEADERS,
    BadMessageError,
    Framing,
)
from facematch_server.running.request_stream import RequestStream, read_head


def head(first: str, *lines: str) -> bytes:
    return "\r\n".join([first, *lines, "", ""]).encode()


def target(raw: str | bytes) -> bytes:
    data = raw.encode() if isinstance(raw, str) else raw
    clean, _ = read_head(b"GET " + data + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    connection = h11.Connection(h11.SERVER, 4 * MAX_HEAD)
    connection.receive_data(clean)
    request = connection.next_event()
    assert isinstance(request, h11.Request)
    return request.target


@pytest.mark.parametrize(
    ("sent", "given"),
    [
        ("/a?b=c%20d&e=%zz", b"/a?b=c%20d&e=%zz"),
        ("/a?b=ả", b"/a?b=%E1%BA%A3"),
        (b"/\xe9", b"/%E9"),
        ("/a b\tc", b"/a%20b%09c"),
        ("/a HTTP/1.1 b", b"/a%20HTTP/1.1%20b"),
        ('/a"<>\\^`{|}#b', b'/a"<>\\^`{|}#b'),
        ("http://host:80/a?b", b"/a?b"),
        ("HTTPS://user@host", b"/"),
        ("http://host?a", b"/?a"),
        ("*", b"*"),
    ],
)
def test_targets(sent: str | bytes, given: bytes) -> None:
    assert target(sent) == given


@pytest.mark.parametrize(
    "first",
    [
        "GET /",
        "GET / HTTP/2.0",
        "GET / HTTP/1.",
        "GET / HTTP/1.10",
        "GET a HTTP/1.1",
        "GET ftp://host/ HTTP/1.1",
        "GET  / HTTP/1.1",
        " GET / HTTP/1.1",
        "HTTP/1.1",
        "GET HTTP/1.1",
        "",
    ],
)
def test_what_is_no_request_line(first: str) -> None:
    with pytest.raises(BadMessageError) as caught:
        read_head(head(first, "Host: x"))
    assert caught.value.status == 400


def test_framing() -> None:
    assert read_head(head("GET / HTTP/1.1"))[1] == Framing()
    assert read_head(head("POST / HTTP/1.1", "content-LENGTH: 5"))[1] == Framing(length=5)
    assert read_head(head("POST / HTTP/1.1", "Content-Length: 5", "Content-Length: 5"))[1] == Framing(length=5)
    assert read_head(head("POST / HTTP/1.1", "Transfer-Encoding: Chunked"))[1] == Framing(chunked=True)
    # Folded: h11 sees the same.
    with pytest.raises(BadMessageError):
        read_head(head("POST / HTTP/1.1", "X: 1", "Content-Length: 5", " 6"))
    with pytest.raises(BadMessageError):
        read_head(head("POST / HTTP/1.1", "Transfer-Encoding:", "\tchunked", "Content-Length: 5"))


def test_the_number_of_headers_is_exact() -> None:
    read_head(head("GET / HTTP/1.1", *["a:"] * MAX_HEADERS))
    with pytest.raises(BadMessageError) as caught:
        read_head(head("GET / HTTP/1.1", *["a:"] * (MAX_HEADERS + 1)))
    assert caught.value.status == 431


def events(data: bytes, cuts: list[int]) -> tuple[list[bytes], bytes, bool]:
    """Targets and body that h11 sees of a stream cut in pieces, and whether it was refused."""
    stream, connection = RequestStream(), h11.Connection(h11.SERVER, 4 * MAX_HEAD)
    targets: list[bytes] = []
    body = b""
    bounds = [0, *sorted(cuts), len(data)]
    for begin, end in itertools.pairwise(bounds):
        stream.feed(data[begin:end])
        while True:
            try:
                piece = stream.take()
            except BadMessageError:
                return targets, body, True
            if not piece:
                break
            connection.receive_data(piece)
            while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.Request):
                    targets.append(event.target)
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    connection.send(h11.Response(status_code=204, headers=[]))
                    connection.send(h11.EndOfMessage())
                    connection.start_next_cycle()
    return targets, body, False


BODY = random.Random(5).randbytes(3000)  # noqa: S311


def coded(sizes: list[int], body: bytes = BODY) -> bytes:
    position, out = 0, b""
    for size in sizes:
        out += b"%x\r\n%b\r\n" % (size, body[position : position + size])
        position += size
    return out + b"0\r\nX-Trailer: 1\r\n\r\n"


@given(st.lists(st.integers(0, 3400), max_size=8), st.lists(st.integers(1, 500), min_size=6, max_size=6))
def test_pieces_of_any_size_give_the_same(cuts: list[int], sizes: list[int]) -> None:
    length = sum(sizes)
    stream = (
        head("POST /1 HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")
        + coded(sizes)
        + b"\r\n"
        + head("POST /2 HTTP/1.1", "Host: x", f"Content-Length: {length}")
        + BODY[:length]
        + head("GET /3 HTTP/1.1", "Host: x")
    )
    targets, body, refused = events(stream, [cut for cut in cuts if cut < len(stream)])
    assert not refused
    assert targets == [b"/1", b"/2", b"/3"]
    assert body == BODY[:length] * 2


@given(st.binary(max_size=200), st.lists(st.integers(0, 250), max_size=4))
def test_any_bytes_are_taken_or_refused(data: bytes, cuts: list[int]) -> None:
    stream = head("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") + data
    events(stream, [cut for cut in cuts if cut < len(stream)])


@pytest.mark.parametrize(
    "broken",
    [
        b"\r\n",
        b"z\r\n",
        b"-1\r\n",
        b"+1\r\nx",
        b"0x1\r\nx",
        b"1_0\r\n",
        b"1\nx\r\n",
        b"1\r\nxy\r\n",
        b"f" * 16 + b"\r\n",
    ],
)
def test_a_coding_that_is_broken_is_refused(broken: bytes) -> None:
    stream = head("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") + broken + b"0\r\n\r\n"
    assert events(stream, [])[2]


def test_crumbs_are_free_up_to_a_number_and_then_need_an_average() -> None:
    start = head("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")
    crumbs = b"1\r\nx\r\n"
    assert not events(start + crumbs * (FREE_CHUNKS - 1) + b"0\r\n\r\n", [])[2]
    assert events(start + crumbs * (FREE_CHUNKS + FREE_CHUNKS // 32), [])[2]
    line = b"%x\r\n%b\r\n" % (LEAST_AVERAGE, b"x" * LEAST_AVERAGE)
    assert not events(start + line * 3 * FREE_CHUNKS + b"0\r\n\r\n", [])[2]


def test_a_piece_is_bounded() -> None:
    stream = RequestStream()
    stream.feed(head("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") + b"1\r\nx\r\n" * 2000)
    assert stream.take().startswith(b"POST")
    taken = len(stream.take().split(b"\r\n")[1])
    assert CHUNKS_AT_ONCE // 2 < taken <= CHUNKS_AT_ONCE
    assert stream.waiting
