"""HTTP/1.1 rules that the server and the url mode's client share. Has no sockets.

h11 parses both sides. The rules here come before it: they bound the work for one piece of input (h11 spends as much on
a chunk of one byte as on one of 64 KiB), and accept what other servers accept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MAX_HEAD: Final = 64 * 1024
MAX_HEADERS: Final = 256

# Bodies may come in small chunks, but not in tiny ones: this many chunks are free; more must hold 64 bytes on average
# (a line of base64 holds 76).
FREE_CHUNKS: Final = 4096
LEAST_AVERAGE: Final = 64
# About a millisecond of work.
CHUNKS_AT_ONCE: Final = 512
_MAX_SIZE_LINE: Final = 1024

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_HEX: Final = b"0123456789abcdefABCDEF"
TOKEN: Final = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")


class BadMessageError(ValueError):
    """A refused HTTP message. The text quotes nothing of it.

    Attributes:
        status: the HTTP status of the refusal.
        message: the reason.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Framing:
    """How a body ends.

    Attributes:
        chunked: True: with its last chunk.
        length: after this number of bytes; None: at once, or (in replies) with the connection.
    """

    chunked: bool = False
    length: int | None = None


def end_of_head(buffer: bytearray, start: int) -> int:
    """The end of the head at the start of `buffer`, searched from `start` on; -1 if the end has not arrived.

    Raises:
        BadMessageError: 431: the head is longer than `MAX_HEAD`, its final empty line included.
    """
    found = _END_OF_HEAD.search(buffer, start)
    end = found.end() if found else -1
    if max(end, len(buffer) if end < 0 else 0) > MAX_HEAD:
        raise BadMessageError("The request head is too large", 431)
    return end


def head_lines(head: bytes | bytearray) -> list[bytes]:
    """The lines of a head, without their line breaks and without the final empty line.

    Raises:
        BadMessageError: 431: there are more than `MAX_HEADERS`.
    """
    lines = bytes(head).split(b"\n", MAX_HEADERS + 3)[:-2]
    if len(lines) > MAX_HEADERS + 1:
        raise BadMessageError("The request has too many headers", 431)
    return [line[:-1] if line.endswith(b"\r") else line for line in lines]


def framing_of(headers: list[tuple[bytes, bytes]]) -> Framing:
    """How the body of a request ends.

    Args:
        headers: names in lower case, and values.

    Raises:
        BadMessageError: the end is ambiguous, so that a proxy may see another end.
    """
    codings = [value.strip(b" \t").lower() for name, value in headers if name == b"transfer-encoding"]
    lengths = {part.strip(b" \t") for name, value in headers if name == b"content-length" for part in value.split(b",")}
    if codings and lengths:
        raise BadMessageError("Content-Length and Transfer-Encoding exclude each other")
    if codings:
        if codings != [b"chunked"]:
            raise BadMessageError("This Transfer-Encoding is not supported", 501)
        return Framing(chunked=True)
    if not lengths:
        return Framing()
    length = lengths.pop()
    if lengths or not length.isdigit() or len(length) > 15:
        raise BadMessageError("Content-Length is not a number")
    return Framing(length=int(length))


class Dechunker:
    """Decodes the chunked transfer coding, a bounded amount at a time.

    Attributes:
        done: whether the last chunk and the trailer have been read.
    """

    def __init__(self) -> None:
        self.done = False
        self._left = 0
        self._closing_break = False
        self._in_trailer = False
        self._chunks = 0
        self._bytes = 0

    def take(self, buffer: bytearray) -> bytes:
        """Take the content of the next chunks out of `buffer`; b"" if more bytes must arrive first.

        Raises:
            BadMessageError: the coding is wrong, or the chunks are tiny.
        """
        taken = bytearray()
        position = 0
        for _ in range(CHUNKS_AT_ONCE):
            if self._in_trailer:
                position = self._trailer(buffer, position)
                break
            if self._left:
                piece = buffer[position : position + self._left]
                taken += piece
                position += len(piece)
                self._left -= len(piece)
                self._bytes += len(piece)
                if self._left:
                    break
                self._closing_break = True
            if self._closing_break:
                if len(buffer) < position + 2:
                    break
                if buffer[position : position + 2] != b"\r\n":
                    raise BadMessageError("A chunk of the body does not end where it says")
                position += 2
                self._closing_break = False
            size_line = _size_line(buffer, position)
            if size_line is None:
                break
            size, position = size_line
            self._count()
            self._left = size
            self._in_trailer = not size
        del buffer[:position]
        return bytes(taken)

    def _count(self) -> None:
        self._chunks += 1
        if self._chunks > FREE_CHUNKS + self._bytes // LEAST_AVERAGE:
            raise BadMessageError("The body comes in too many small pieces")

    def _trailer(self, buffer: bytearray, position: int) -> int:
        """Skip the trailer after the last chunk."""
        for _ in range(MAX_HEADERS):
            end = buffer.find(b"\n", position, position + MAX_HEAD)
            if end < 0:
                if len(buffer) - position >= MAX_HEAD:
                    break
                return position
            empty = bytes(buffer[position:end]) in (b"", b"\r")
            position = end + 1
            if empty:
                self.done = True
                return position
        raise BadMessageError("The trailer of the body is too large", 431)


def chunk(data: bytes) -> bytes:
    """`data` as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK: Final = b"0\r\n\r\n"


def _size_line(buffer: bytearray, position: int) -> tuple[int, int] | None:
    """The size in the line at `position`, and the start of the next line; None if the line is incomplete."""
    found = _SIZE_LINE.match(buffer, position, position + _MAX_SIZE_LINE)
    if found:
        return int(found[1], 16), found.end()
    waiting = len(buffer) - position
    hopeless = waiting >= _MAX_SIZE_LINE or buffer.find(b"\n", position) >= 0
    if hopeless or (waiting and buffer[position] not in _HEX):
        raise BadMessageError("The size of a chunk of the body is not a number")
    return None
