"""Prepares the bytes of an image server for h11: accepts what browsers and curl accept, in bounded pieces.

Photo stores send invalid headers (a blank or a slash in the name) and invalid codings (`identity`); hostile servers
send tiny chunks, or endless interim replies.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any, Final

import httpcore

from facematch_server.http.http1 import (
    LAST_CHUNK,
    MAX_HEADERS,
    TOKEN,
    BadMessageError,
    Dechunker,
    chunk,
    end_of_head,
    head_lines,
)

MAX_INTERIM: Final = 16


class ReplyStream:
    """Takes the bytes of one reply as they arrive, and gives them out in the form of h11."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._interim = 0
        self._body: Dechunker | None = None
        self._in_body = False

    def feed(self, data: bytes) -> None:
        """Add input."""
        self._buffer += data

    def take(self) -> bytes:
        """The next piece: the final reply's head, or a part of its body; b"" if more input must arrive first.

        Raises:
            BadMessageError: the reply is wrong, or costs too much.
        """
        while not self._in_body:
            end = end_of_head(self._buffer, max(self._searched - 3, 0))
            if end < 0:
                self._searched = len(self._buffer)
                return b""
            lines = head_lines(self._buffer[:end])
            del self._buffer[:end]
            self._searched = 0
            if not _is_interim(lines[0]):
                return self._head(lines)
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise BadMessageError("The reply does not begin")
        if self._body is None:
            data = bytes(self._buffer)
            self._buffer.clear()
            return data
        data = self._body.take(self._buffer)
        coded = chunk(data) if data else b""
        if self._body.done:
            self._body, self._in_body = None, True
            self._buffer.clear()
            return coded + LAST_CHUNK
        return coded

    def _head(self, lines: list[bytes]) -> bytes:
        headers = list(_usable(lines[1 : MAX_HEADERS + 1]))
        codings = [value.strip(b" \t").lower() for name, value in headers if name.lower() == b"transfer-encoding"]
        self._in_body = True
        self._body = Dechunker() if b"chunked" in codings else None
        kept = [
            name + b":" + value
            for name, value in headers
            if not (name.lower() == b"transfer-encoding" and value.strip(b" \t").lower() == b"identity")
        ]
        return b"\r\n".join([lines[0], *kept, b"", b""])


class TidyStream(httpcore.AsyncNetworkStream):
    """A connection to an image server, read through a `ReplyStream`."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._reply = ReplyStream()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """A part of the reply; b"" at its end. May exceed `max_bytes` by the coding of a chunk."""
        try:
            while not (data := self._reply.take()):
                raw = await self._stream.read(max_bytes, timeout)
                if not raw:
                    return b""
                self._reply.feed(raw)
        except BadMessageError as error:
            raise httpcore.RemoteProtocolError(error.message) from None
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send."""
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """The same over TLS."""
        return TidyStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """See httpcore."""
        return self._stream.get_extra_info(info)


def _is_interim(status_line: bytes) -> bool:
    # 101 would switch to another protocol; h11 refuses it.
    status = status_line.split(b" ", 2)[1:2]
    return bool(status) and len(status[0]) == 3 and status[0].startswith(b"1") and status[0] != b"101"


def _usable(lines: Iterable[bytes]) -> Iterable[tuple[bytes, bytes]]:
    """Names and values of valid headers; a photo needs no others."""
    usable = False
    pending: tuple[bytes, bytes] | None = None
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            if usable and pending:
                pending = (pending[0], pending[1] + b" " + line.strip(b" \t"))
            continue
        if pending:
            yield pending
        name, colon, value = line.partition(b":")
        if not colon:
            raise BadMessageError("A line of the reply's head is no header")
        name = name.rstrip(b" \t")
        usable = bool(TOKEN.fullmatch(name)) and not any(char < 0x20 and char != 9 for char in value)
        pending = (name, value) if usable else None
    if pending:
        yield pending
