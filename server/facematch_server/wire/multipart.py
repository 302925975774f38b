"""Multipart forms as clients write them; strict parsers of RFC 2046 refuse many of them.

A form may have text before the first boundary, line feeds without carriage returns, blanks after a boundary, no closing
boundary, and another boundary in the header than in the body. Every search is linear and bounded in each step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError

# Limit on parts; a form of two photos has fewer.
MAX_PARTS: Final = 64
_MAX_LOOKALIKES: Final = 10_000
_MAX_BOUNDARY: Final = 200
_MAX_PART_HEAD: Final = 16 * 1024
# Bytes to search for the first boundary if the header does not name it.
_MAX_PREAMBLE: Final = 64 * 1024
# Bytes for one search: a search must not hold the interpreter for long.
_WINDOW: Final = 1024 * 1024

_REST_OF_LINE = re.compile(rb"[ \t]*(\r?\n)")
_END_OF_HEAD = re.compile(rb"\n\r?\n")
# A line that looks like a boundary, followed by a header.
_BOUNDARY_LINE = re.compile(rb"(?:\A|\n)[ \t]*--([^\r\n]{1,200})\r?\n(?=[!-9;-~]{1,100}[ \t]*:)")
_FIRST_LINE = re.compile(rb"[\r\n]*--([^\r\n]{1,200})(?:\r?\n|\Z)")
_PARAMETER = re.compile(r';[ \t]*([^=;"\s]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))', re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Delimiter:
    """A boundary line: its start and end, its line break, and whether it closes the form."""

    begin: int
    end: int
    line_break: bytes
    closing: bool


def form_parts(content_type: str, body: bytes, names: tuple[str, ...]) -> dict[str, bytes]:
    """The named parts of a form; the first one of each name.

    Args:
        content_type: the header; "" without one.
        body: the whole body, not empty.
        names: names of the parts.

    Raises:
        ContractError: BAD_FORMAT_TYPE: neither the header nor the body shows a boundary.
    """
    stated = parameter(content_type, "boundary").encode("latin-1", "replace")[:_MAX_BOUNDARY]
    delimiters = list(_delimiters(body, stated)) if stated else []
    if not delimiters:
        own = _boundary_in(body)
        if not own and not stated:
            raise ContractError(ErrorCode.BAD_FORMAT_TYPE)
        delimiters = list(_delimiters(body, own)) if own else []
    parts: dict[str, bytes] = {}
    for delimiter, following in zip(delimiters, [*delimiters, None][1:], strict=True):
        if delimiter.closing:
            break
        end = _content_end(body, following, delimiters[0].line_break)
        head = _END_OF_HEAD.search(body, delimiter.end - 1, min(delimiter.end + _MAX_PART_HEAD, max(end, 0) + 1))
        name = _name(body[delimiter.end : head.start() + 1]) if head else ""
        if head and name in names and name not in parts:
            parts[name] = body[head.end() : end]
    return parts


def parameter(header: str, name: str) -> str:
    """A parameter of a header such as `form-data; name="img1"`; "" if the header lacks it."""
    for found in _PARAMETER.finditer(header):
        if found[1].lower() == name:
            quoted = found[2]
            return (found[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)).strip()
    return ""


def _boundary_in(body: bytes) -> bytes:
    found = _FIRST_LINE.match(body[:_MAX_PREAMBLE]) or _BOUNDARY_LINE.search(body[:_MAX_PREAMBLE])
    return found[1].rstrip(b" \t") if found else b""


def _delimiters(body: bytes, boundary: bytes) -> Iterator[_Delimiter]:
    """The lines that consist of the boundary, up to the closing one."""
    mark = b"--" + boundary
    begin = 0 if body.startswith(mark) else _next_line(body, mark, 0)
    parts = 0
    for _ in range(_MAX_LOOKALIKES):
        if begin < 0:
            return
        after = begin + len(mark)
        rest = _REST_OF_LINE.match(body, after, after + 256)
        parts += rest is not None
        if body.startswith(b"--", after) or after == len(body) or parts > MAX_PARTS:
            yield _Delimiter(begin, after, b"", closing=True)
            return
        if rest:
            yield _Delimiter(begin, rest.end(), rest[1], closing=False)
        begin = _next_line(body, mark, after - 1)


def _content_end(body: bytes, following: _Delimiter | None, line_break: bytes) -> int:
    """The end of a part: before the line break that belongs to the next boundary."""
    end = len(body) if following is None else following.begin
    if body.endswith(b"\n", 0, end):
        end -= 1
        if line_break == b"\r\n" and body.endswith(b"\r", 0, end):
            end -= 1
    return end


def _name(head: bytes) -> str:
    for line in head.decode("latin-1").split("\n"):
        field, _, value = line.partition(":")
        if field.strip().lower() == "content-disposition":
            return parameter(value, "name")
    return ""


def _next_line(body: bytes, mark: bytes, start: int) -> int:
    """The start of the next line that begins with `mark`; -1 without such a line."""
    wanted = b"\n" + mark
    while start < len(body):
        found = body.find(wanted, start, start + _WINDOW + len(wanted) - 1)
        if found >= 0:
            return found + 1
        start += _WINDOW
    return -1
