"""JSON bodies with bounded cost: two long strings, and little structure around them.

An ordinary parser turns 27 MB of `{},{},...` into 650 MB and holds the interpreter for seconds. Therefore this module
first takes the long strings out, as slices, and counts the rest before it parses it.
"""

from __future__ import annotations

import json
import secrets
from typing import Any, Final

# Limits on the text outside long strings, and on its braces, brackets, commas and colons.
MAX_SKELETON: Final = 256 * 1024
MAX_STRUCTURE: Final = 10_000
# Limit on quotation marks, escaped ones included.
MAX_QUOTES: Final = 20_000
_LONG: Final = 1024
# Limit on backslashes before a quotation mark; no client writes more.
_MAX_BACKSLASHES: Final = 64
# Bytes unescaped in one call: a call into C must not hold the interpreter for long.
_WINDOW: Final = 256 * 1024


def string_fields(body: bytes, names: tuple[str, ...]) -> dict[str, Any]:
    """The named members of a JSON object, in any Unicode encoding. Strings may contain raw line breaks.

    Returns:
        The values as `json.loads` returns them, but long strings as ASCII bytes, with `?` for other letters.

    Raises:
        ValueError: not JSON, not an object, or more structure than a body of two photos has.
    """
    encoding = json.detect_encoding(body)
    if encoding != "utf-8":
        body = body.decode(encoding).encode("utf-8")
    skeleton, strings, mark = _without_long_strings(body)
    if sum(skeleton.count(sign) for sign in (b"{", b"[", b",", b":")) > MAX_STRUCTURE:
        raise ValueError("too much structure")
    try:
        content = json.loads(skeleton, strict=False)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(content, dict):
        raise ValueError("no object")
    return {name: _restored(content[name], strings, mark) for name in names if name in content}


def _without_long_strings(body: bytes) -> tuple[bytes, list[bytes], str]:
    """The body with a mark and a number in place of each long string, the raw strings, and the mark."""
    mark = secrets.token_hex(8)
    pieces: list[bytes] = []
    strings: list[bytes] = []
    size = position = quotes = 0
    while (opening := body.find(b'"', position)) >= 0:
        closing = opening
        while True:
            closing = body.find(b'"', closing + 1)
            quotes += 1
            if closing < 0 or quotes > MAX_QUOTES:
                raise ValueError("strings without end")
            if not _escaped(body, opening + 1, closing):
                break
        long = closing - opening > _LONG
        text = b'"%b%d"' % (mark.encode(), len(strings)) if long else body[opening : closing + 1]
        if long:
            strings.append(body[opening + 1 : closing])
        size += opening - position + len(text)
        if size > MAX_SKELETON:
            raise ValueError("too much besides the strings")
        pieces += (body[position:opening], text)
        position = closing + 1
    if size + len(body) - position > MAX_SKELETON:
        raise ValueError("too much besides the strings")
    return b"".join([*pieces, body[position:]]), strings, mark


def _escaped(body: bytes, start: int, quote: int) -> bool:
    before = body[max(start, quote - _MAX_BACKSLASHES) : quote]
    backslashes = len(before) - len(before.rstrip(b"\\"))
    if backslashes == _MAX_BACKSLASHES:
        raise ValueError("too many backslashes")
    return backslashes % 2 == 1


def _restored(value: Any, strings: list[bytes], mark: str) -> Any:
    if isinstance(value, str) and value.startswith(mark):
        return unescaped(strings[int(value.removeprefix(mark))])
    return value


def unescaped(raw: bytes) -> bytes:
    """The content of a JSON string, in ASCII, with `?` for other letters.

    Raises:
        ValueError: an escape that JSON does not define.
    """
    if b"\\" not in raw:
        return raw
    text = bytearray()
    position = 0
    while position < len(raw):
        end = _between_escapes(raw, position, min(position + _WINDOW, len(raw)))
        window = raw[position:end]
        text += json.loads(b'"%b"' % window, strict=False).encode("ascii", "replace") if b"\\" in window else window
        position = end
    return bytes(text)


def _between_escapes(raw: bytes, start: int, end: int) -> int:
    """`end`, moved back so that it cuts no escape (six characters at most) in two."""
    if end == len(raw):
        return end
    last = raw.rfind(b"\\", max(end - 6, start), end)
    if last < 0:
        return end
    run = raw[start : last + 1]
    cut = start + len(run.rstrip(b"\\"))
    if cut == start:
        raise ValueError("backslashes without end")
    return cut
