"""Replies of image servers in pieces of any size: what h11 is given."""

from __future__ import annotations

import pytest

from facematch_server.http.http1 import BadMessageError
from facematch_server.url_mode.reply_stream import MAX_INTERIM, ReplyStream


def given(reply: bytes, size: int) -> bytes:
    """All that is given out of a reply that comes in pieces of this size."""
    stream, out = ReplyStream(), b""
    for start in range(0, len(reply), size):
        stream.feed(reply[start : start + size])
        while data := stream.take():
            out += data
    return out


def test_a_plain_reply_is_the_same_however_it_comes() -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length:5\r\nX:a\r\n\r\nphoto"
    assert {size: given(reply, size) for size in range(1, 60)} == dict.fromkeys(range(1, 60), reply)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 1000])
def test_interim_replies_are_passed_over_up_to_a_number(size: int) -> None:
    interim, reply = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nphoto"
    assert given(MAX_INTERIM * interim + reply, size) == reply
    with pytest.raises(BadMessageError):
        given((MAX_INTERIM + 1) * interim + reply, size)
    assert MAX_INTERIM == 16


@pytest.mark.parametrize("status", [b"200", b"101", b"1", b"1000", b"204"])
def test_what_is_not_interim_is_the_reply(status: bytes) -> None:
    head = b"HTTP/1.1 " + status + b" x\r\n\r\n"
    assert given(head, 1000) == head


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"Transfer-Encoding: identity\r\n", b""),
        (b"transfer-encoding:\tIdentity \r\n", b""),
        (b"X: identity\r\n", b"X: identity\r\n"),
        (b"Transfer-Encoding: gzip\r\n", b"Transfer-Encoding: gzip\r\n"),
        (b"Bad Name: x\r\nA: b\r\n", b"A: b\r\n"),
        (b"Bad Name: x\r\n continued\r\nA: b\r\n", b"A: b\r\n"),
        (b"A: b\r\n \tc \r\n d\r\n", b"A: b c d\r\n"),
        (b"A : b\r\n", b"A: b\r\n"),
        (b"A: b\x01\r\nC: d\r\n", b"C: d\r\n"),
        (b"A: b\tc\r\n", b"A: b\tc\r\n"),
    ],
)
def test_headers_that_are_none_are_left_out(sent: bytes, kept: bytes) -> None:
    assert given(b"HTTP/1.1 200 OK\r\n" + sent + b"\r\n", 7) == b"HTTP/1.1 200 OK\r\n" + kept + b"\r\n"


def test_a_line_without_a_colon_is_refused() -> None:
    with pytest.raises(BadMessageError):
        given(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n", 9)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_chunks_arrive_whole_and_what_follows_them_is_dropped(size: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    out = given(head + b"5\r\nphoto\r\n3;x=y\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", size)
    assert out.startswith(head)
    body, rest = b"", out[len(head) :]
    while rest and not rest.startswith(b"0\r\n"):
        length, _, rest = rest.partition(b"\r\n")
        body, rest = body + rest[: int(length, 16)], rest[int(length, 16) + 2 :]
    assert (body, rest[:5]) == (b"photoabc", b"0\r\n\r\n")
