"""Takes the two photos out of a body, multipart or JSON, as clients send it.

All functions are pure and work on a whole body in memory: no photo is ever written to disk.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from facematch_local.brief_repr import BriefRepr
from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError
from facematch_server.wire.bounded_json import string_fields
from facematch_server.wire.multipart import form_parts
from facematch_server.wire.query import Mode

NOT_BASE64: Final = "the photo is not base64"

_NAMES: Final = ("img1", "img2")
_NUMBERS: Final[tuple[Literal[1, 2], Literal[1, 2]]] = (1, 2)
# Letters decoded in one call, a multiple of four: a call into C must not hold the interpreter for long.
_WINDOW: Final = 1024 * 1024
_DATA_URI: Final = re.compile(rb"\s*data:[^,]{0,200},", re.IGNORECASE)
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_LINE_LENGTHS: Final = (64, 76)


class BodyKind(StrEnum):
    """The kind of a body, by its `Content-Type`."""

    MULTIPART = "multipart"
    JSON = "json"
    OTHER = "other"
    UNSTATED = "unstated"


@dataclass(frozen=True, slots=True, repr=False)
class PhotoPair(BriefRepr):
    """Both photos as bytes, neither empty."""

    image1: bytes
    image2: bytes


def body_kind(content_type: str) -> BodyKind:
    """The kind of a body, by its `Content-Type` header ("" without one)."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("multipart/"):
        return BodyKind.MULTIPART
    if media_type in ("application/json", "text/json", "text/plain") or media_type.endswith("+json"):
        return BodyKind.JSON
    if media_type in ("", "application/octet-stream"):
        return BodyKind.UNSTATED
    return BodyKind.OTHER


def take_photos(mode: Mode | None, content_type: str, body: bytes, max_image_bytes: int) -> PhotoPair:
    """Take both photos out of a body. If the header and the bytes disagree, the bytes decide.

    Args:
        mode: FILE or BASE64; None for FILE if the body is a multipart form, else BASE64.
        content_type: the header; "" without one.
        body: the whole body.
        max_image_bytes: limit on a decoded photo.

    Raises:
        ContractError: BAD_FORMAT_TYPE: the body does not have the format of `mode`. NO_CONTENT: a photo is missing
            or empty. BAD_IMAGE: a photo is not base64 or too large.
    """
    if mode is None:
        mode = Mode.FILE if is_multipart(content_type, body) else Mode.BASE64
    kind = body_kind(content_type)
    start = body[:256].lstrip()
    if mode is Mode.FILE:
        if is_multipart(content_type, body):
            return from_multipart(content_type, body)
        raise ContractError(ErrorCode.BAD_FORMAT_TYPE if start or kind is BodyKind.OTHER else ErrorCode.NO_CONTENT)
    # `curl -d` states the type of a web form for every body.
    if kind in (BodyKind.JSON, BodyKind.UNSTATED) or start.startswith(b"{"):
        return from_json(body, max_image_bytes)
    raise ContractError(ErrorCode.BAD_FORMAT_TYPE)


def is_multipart(content_type: str, body: bytes) -> bool:
    """Whether a body is a multipart form, by its header or by its first bytes."""
    return body_kind(content_type) is BodyKind.MULTIPART or body[:256].lstrip().startswith(b"--")


def from_multipart(content_type: str, body: bytes) -> PhotoPair:
    """Take `img1` and `img2` out of a multipart body; filenames and part types do not matter.

    Raises:
        ContractError: NO_CONTENT: a photo is missing or empty. BAD_FORMAT_TYPE: the body is not a multipart form.
    """
    parts = form_parts(content_type, body, _NAMES) if body.strip() else {}
    return both(parts.get("img1", b""), parts.get("img2", b""))


def from_json(body: bytes, max_image_bytes: int) -> PhotoPair:
    """Take `img1` and `img2` out of a JSON body and decode their base64.

    Raises:
        ContractError: NO_CONTENT: a photo is missing, null or empty, or the body is not a JSON object, or it has far
            more members than two photos need (see `bounded_json`).
            BAD_IMAGE: a photo is not a string, not base64, or larger than `max_image_bytes`.
    """
    try:
        fields: dict[str, Any] = string_fields(body, _NAMES)
    except ValueError:  # not JSON, wrong encoding, too long a number, too much structure
        fields = {}
    texts = [fields.get(name) for name in _NAMES]
    for number, text in zip(_NUMBERS, texts, strict=True):
        if text is None or (isinstance(text, str | bytes) and not _payload(text).strip()):
            raise _no_content(number)
    return both(*(decode_base64(text, max_image_bytes, n) for n, text in zip(_NUMBERS, texts, strict=True)))


def decode_base64(text: object, max_bytes: int, image: Literal[1, 2] | None = None) -> bytes:
    """Decode base64 with line breaks, a data-URI prefix, spaces for `+`, url-safe letters or no padding.

    Args:
        text: the value of the field.
        max_bytes: limit on the decoded photo.
        image: number of the photo, for the error.

    Raises:
        ContractError: BAD_IMAGE: not a string, not base64, or more than `max_bytes`.
    """
    if not isinstance(text, str | bytes):
        raise ContractError(ErrorCode.BAD_IMAGE, image=image, reason=NOT_BASE64)
    payload = _payload(text)
    photo = _strictly_decoded(payload, max_bytes)
    if photo is not None:
        return photo
    letters = _without_blanks(payload).translate(_URL_SAFE).rstrip(b"=")
    if len(letters) * 3 // 4 > max_bytes:
        reason = f"the photo is larger than {max_bytes} bytes"
        raise ContractError(ErrorCode.BAD_IMAGE, image=image, reason=reason)
    photo = _strictly_decoded(letters + b"=" * (-len(letters) % 4), max_bytes)
    if photo is None:
        raise ContractError(ErrorCode.BAD_IMAGE, image=image, reason=NOT_BASE64)
    return photo


def _strictly_decoded(letters: bytes, max_bytes: int) -> bytes | None:
    """The photo of base64 as RFC 4648 has it, without a copy of the letters; None if it is not, or too large.

    Most clients send this. Other spellings are found at their first letter that does not belong here.
    """
    if len(letters) % 4 or len(letters) // 4 * 3 > max_bytes + 2:
        return None
    view = memoryview(letters)
    try:
        # A window that ends in padding must be the last one: otherwise its successor would be taken for a photo, too.
        ended = [letters.endswith(b"=", start, start + _WINDOW) for start in range(0, len(letters) - _WINDOW, _WINDOW)]
        if any(ended):
            return None
        windows = (view[start : start + _WINDOW] for start in range(0, len(letters), _WINDOW))
        photo = b"".join(binascii.a2b_base64(window, strict_mode=True) for window in windows)
    except binascii.Error:
        return None
    return photo if len(photo) <= max_bytes else None


def both(image1: bytes, image2: bytes) -> PhotoPair:
    """Both photos.

    Raises:
        ContractError: NO_CONTENT: a photo is empty.
    """
    for number, image in zip(_NUMBERS, (image1, image2), strict=True):
        if not image:
            raise _no_content(number)
    return PhotoPair(image1, image2)


def _no_content(image: Literal[1, 2]) -> ContractError:
    return ContractError(ErrorCode.NO_CONTENT, image=image, reason="the photo is missing or has no bytes")


def _payload(text: str | bytes) -> bytes:
    """The text after a data-URI prefix. Letters outside ASCII become `?`, which base64 never has."""
    data = text.encode("ascii", "replace") if isinstance(text, str) else text
    prefix = _DATA_URI.match(data)
    return data[prefix.end() :] if prefix else data


def _without_blanks(data: bytes) -> bytes:
    data = data.translate(None, b"\r\n\t\f\v").strip(b" ")
    if b" " not in data:
        return data
    # Form decoding turns "+" into a space; some clients turn line breaks into spaces. Lines have one usual length;
    # plus signs have no such order.
    for length in _LINE_LENGTHS:
        breaks = data[length :: length + 1]
        if breaks and not breaks.strip(b" ") and data.count(b" ") == len(breaks):
            return data.replace(b" ", b"")
    return data.replace(b" ", b"+")
