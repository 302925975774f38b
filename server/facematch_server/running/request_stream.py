"""Prepares a client's bytes for h11: heads in strict form, bodies without tiny chunks.

Heads are taken whole. Characters of the target that a URL must not hold (letters of any script, blanks) are escaped,
since clients send them, and a proxy's absolute form is cut to the path. Ambiguous input is refused.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote_from_bytes

from facematch_server.http.http1 import (
    LAST_CHUNK,
    BadMessageError,
    Dechunker,
    Framing,
    chunk,
    end_of_head,
    framing_of,
    head_lines,
)

# Printable ASCII stays unchanged, escapes included.
_KEPT: Final = "".join(map(chr, range(0x21, 0x7F)))
_TO_ESCAPE = re.compile(rb"[\t \x80-\xff]")
_ABSOLUTE = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)
_VERSION = re.compile(rb"HTTP/1\.[0-9]")
# The rest of a folded line of credentials whose line break lacks the following blank.
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/=_-]+")


class RequestStream:
    """Takes bytes as they arrive, and gives them to h11 in pieces of bounded cost."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._body: Dechunker | int = 0

    @property
    def between_requests(self) -> bool:
        """Whether the last request has been given out completely."""
        return self._body == 0

    @property
    def in_chunks(self) -> bool:
        """Whether a chunked body is being given out."""
        return isinstance(self._body, Dechunker)

    @property
    def waiting(self) -> int:
        """Number of bytes not given out yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Add input."""
        self._buffer += data

    def take(self) -> bytes:
        """The next piece for h11: one head, or a part of a body; b"" if more input must arrive first.

        Raises:
            BadMessageError: the input is not a supported request; nothing after it can be read.
        """
        if isinstance(self._body, Dechunker):
            return self._some_chunks(self._body)
        if self._body:
            with memoryview(self._buffer) as view:  # a slice of the buffer itself would be a second copy
                data = bytes(view[: self._body])
            del self._buffer[: len(data)]
            self._body -= len(data)
            return data
        return self._head()

    def _some_chunks(self, body: Dechunker) -> bytes:
        data = body.take(self._buffer)
        coded = chunk(data) if data else b""
        if body.done:
            self._body = 0
            coded += LAST_CHUNK
        return coded

    def _head(self) -> bytes:
        if not self._searched:
            # Old clients send an empty line after a body.
            del self._buffer[: len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))]
            if self._buffer and self._buffer[0] < 0x21:  # such as TLS on a plain port
                raise BadMessageError("This is not HTTP")
        end = end_of_head(self._buffer, max(self._searched - 3, 0))
        if end < 0:
            self._searched = len(self._buffer)
            return b""
        head, framing = read_head(self._buffer[:end])
        del self._buffer[:end]
        self._searched = 0
        self._body = Dechunker() if framing.chunked else framing.length or 0
        return head


def read_head(raw: bytes | bytearray) -> tuple[bytes, Framing]:
    """A request's head in the form of h11, and how its body ends.

    Raises:
        BadMessageError: it is not a head, or the end of the body is ambiguous.
    """
    first, *rest = head_lines(raw)
    lines = _unfolded(rest)
    headers = [(name.lower(), value) for name, _, value in (line.partition(b":") for line in lines)]
    framing = framing_of(headers)
    return b"\r\n".join([_request_line(first), *lines, b"", b""]), framing


def _request_line(line: bytes) -> bytes:
    method, _, rest = line.rstrip(b" \t").partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if not _VERSION.fullmatch(version):
        raise BadMessageError("The request line is not one of HTTP/1.1")
    absolute = _ABSOLUTE.match(target)
    if absolute:
        target = target[absolute.end() :]
        target = target if target.startswith(b"/") else b"/" + target
    if not target.startswith(b"/") and target != b"*" and method != b"CONNECT":
        raise BadMessageError("The request's target is not a path")
    if _TO_ESCAPE.search(target):
        target = quote_from_bytes(target, safe=_KEPT).encode("ascii")
    return b"%b %b %b" % (method, target, version)


def _unfolded(lines: list[bytes]) -> list[bytes]:
    """One line for each header. Folded lines are joined; folded credentials also without the blank after the break."""
    joined: list[list[bytes]] = []
    for line in lines:
        folded = line[:1] in (b" ", b"\t")
        if folded and not joined:
            raise BadMessageError("The first header begins with a blank")
        if folded or (joined and _BASE64_LINE.fullmatch(line) and joined[-1][0][:14].lower() == b"authorization:"):
            joined[-1].append(line.strip(b" \t"))
        else:
            joined.append([line])
    return [b" ".join(parts) for parts in joined]
