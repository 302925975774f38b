"""Bodies: the two photos out of multipart or JSON, as clients really send them.

All functions are pure and work on a body that has been read as a whole: nothing is ever spooled to disk.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError
from facematch_server.wire.query import Mode

# More parts than this are no form of ours; each costs Python callbacks, so a body must not hold a million.
MAX_PARTS: Final = 64

_DATA_URI: Final = re.compile(rb"\s*data:[^,]{0,200},", re.IGNORECASE)
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_LINE_LENGTHS: Final = (64, 76)


class BodyKind(StrEnum):
    """What a body is, by its `Content-Type` and, where that says nothing, by its first bytes."""

    MULTIPART = "multipart"
    JSON = "json"
    OTHER = "other"
    UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class Photos:
    """Both photos as bytes, neither empty."""

    image1: bytes
    image2: bytes


def body_kind(content_type: str) -> BodyKind:
    """Tell the kind of a body from its `Content-Type` header ("" where there is none)."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("multipart/"):
        return BodyKind.MULTIPART
    if media_type in ("application/json", "text/json", "text/plain") or media_type.endswith("+json"):
        return BodyKind.JSON
    if media_type in ("", "application/octet-stream"):
        return BodyKind.UNSTATED
    return BodyKind.OTHER


def take_photos(mode: Mode, content_type: str, body: bytes, max_image_bytes: int) -> Photos:
    """Take both photos out of a body. Where the header and the bytes disagree, the bytes decide.

    Args:
        mode: FILE or BASE64.
        content_type: the header, "" where there is none.
        body: the whole body.
        max_image_bytes: limit on a decoded photo.

    Raises:
        ContractError: BAD_FORMAT_TYPE: the body is not what `mode` says. NO_CONTENT: a photo is missing or
            empty. BAD_IMAGE: a photo is no base64 or too large.
    """
    kind = body_kind(content_type)
    start = body[:256].lstrip()
    if mode is Mode.FILE:
        if is_multipart(content_type, body):
            return from_multipart(content_type, body)
        raise ContractError(ErrorCode.BAD_FORMAT_TYPE if start or kind is BodyKind.OTHER else ErrorCode.NO_CONTENT)
    # `curl -d` states a web form for whatever it sends.
    if kind in (BodyKind.JSON, BodyKind.UNSTATED) or start.startswith(b"{"):
        return from_json(body, max_image_bytes)
    raise ContractError(ErrorCode.BAD_FORMAT_TYPE)


def is_multipart(content_type: str, body: bytes) -> bool:
    """Whether a body is a multipart form, by its header or by its first bytes."""
    return body_kind(content_type) is BodyKind.MULTIPART or body[:256].lstrip().startswith(b"--")


def from_multipart(content_type: str, body: bytes) -> Photos:
    """Take `img1` and `img2` out of a multipart body; filenames and part types do not matter.

    Raises:
        ContractError: NO_CONTENT: a photo is missing or empty. BAD_FORMAT_TYPE: the body is no multipart form.
    """
    parts = _parts(_boundary(content_type, body), body) if body.strip() else {}
    return _both(parts.get("img1", b""), parts.get("img2", b""))


def from_json(body: bytes, max_image_bytes: int) -> Photos:
    """Take `img1` and `img2` out of a JSON body and decode their base64.

    Raises:
        ContractError: NO_CONTENT: a photo is missing, null or empty, or the body is no JSON object.
            BAD_IMAGE: a photo is no string, no base64, or larger than `max_image_bytes`.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):  # ValueError: no JSON, wrong encoding, a number too long
        content = None
    fields: dict[str, Any] = content if isinstance(content, dict) else {}
    texts = [fields.get(name) for name in ("img1", "img2")]
    if any(text is None or (isinstance(text, str) and not _payload(text).strip()) for text in texts):
        raise ContractError(ErrorCode.NO_CONTENT)
    return _both(*(decode_base64(text, max_image_bytes) for text in texts))


def decode_base64(text: object, max_bytes: int) -> bytes:
    """Decode base64 with line breaks, a data-URI prefix, spaces for `+`, url-safe letters or no padding.

    Raises:
        ContractError: BAD_IMAGE: no string, no base64, or more than `max_bytes`.
    """
    if not isinstance(text, str):
        raise ContractError(ErrorCode.BAD_IMAGE)
    letters = _without_blanks(_payload(text)).translate(_URL_SAFE).rstrip(b"=")
    if len(letters) * 3 // 4 > max_bytes:
        raise ContractError(ErrorCode.BAD_IMAGE)
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4), validate=True)
    except binascii.Error:
        raise ContractError(ErrorCode.BAD_IMAGE) from None


def _both(image1: bytes, image2: bytes) -> Photos:
    if not image1 or not image2:
        raise ContractError(ErrorCode.NO_CONTENT)
    return Photos(image1, image2)


def _payload(text: str) -> bytes:
    """What follows the data-URI prefix. Letters outside ASCII become `?`, which no base64 has."""
    data = text.encode("ascii", "replace")
    prefix = _DATA_URI.match(data)
    return data[prefix.end() :] if prefix else data


def _without_blanks(data: bytes) -> bytes:
    data = data.translate(None, b"\r\n\t\f\v").strip(b" ")
    if b" " not in data:
        return data
    # Form decoding turns "+" into a space; some clients turn line breaks into spaces. Lines are all of one
    # usual length, plus signs are not.
    *lines, last = data.split(b" ")
    lengths = {len(line) for line in lines}
    if len(lengths) == 1 and lengths <= set(_LINE_LENGTHS) and len(last) <= max(lengths):
        return b"".join((*lines, last))
    return data.replace(b" ", b"+")


def _boundary(content_type: str, body: bytes) -> bytes:
    from python_multipart.multipart import parse_options_header

    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if boundary:
        return boundary
    # Setting the header by hand, without the boundary, is a classic of browser code. The body tells it.
    first = body.lstrip(b"\r\n")[:256].partition(b"\r\n")[0].rstrip()
    if first.startswith(b"--") and len(first) > 2:
        return first[2:]
    raise ContractError(ErrorCode.BAD_FORMAT_TYPE)


def _parts(boundary: bytes, body: bytes) -> dict[str, bytes]:
    """`img1` and `img2`, each its first part. A body that breaks off gives what came before."""
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser

    collector = _Collector()
    try:
        parser = MultipartParser(boundary, collector.callbacks())  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError):
        pass
    return collector.parts


class _Collector:
    """Receives the callbacks of python-multipart; keeps complete parts of the two names only."""

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}
        self._count = 0
        self._header = b""
        self._value = b""
        self._name = ""
        self._chunks: list[bytes] = []

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_header,
            "on_header_value": self._on_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise ValueError("too many parts")
        self._name, self._chunks = "", []

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        from python_multipart.multipart import parse_options_header

        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._name = options.get(b"name", b"").decode("latin-1").strip()
        self._header = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name in ("img1", "img2") and self._name not in self.parts:
            self._chunks.append(data[start:end])

    def _end(self) -> None:
        if self._name in ("img1", "img2"):
            self.parts.setdefault(self._name, b"".join(self._chunks))
        self._chunks = []
