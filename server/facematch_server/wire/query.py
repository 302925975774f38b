"""The query string: the parameters, and the two URLs of the url mode.

Clients put URLs into the query in three ways: percent-encoded, encoded by `encodeURI`, and not encoded. A standard
parser reads the first; of the others it loses everything after the first `&` of a URL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote, unquote_plus

from facematch_local.checks import Role
from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError

# A parameter of the contract, at the start of the query or after `&`: a value ends only here.
_KNOWN: Final = re.compile(r"(?:^|&)(img1|img2|type1|format_type)=")

# Additional parameters that some clients send. After a URL that is not encoded they look like a part of it, so they are
# removed by name; other parameters stay with the URL.
_KNOWN_EXTRAS: Final = ("is_thumb=", "get_thumb=")


class Mode(StrEnum):
    """`format_type`: how the photos come."""

    URL = "url"
    FILE = "file"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a request.

    Attributes:
        mode: how the photos come; None if the body decides between file and base64.
        type1: what image 1 shows.
        url1: URL of image 1; "" if it is missing, and outside the url mode.
        url2: URL of image 2, likewise.
    """

    mode: Mode | None
    type1: Role
    url1: str = ""
    url2: str = ""


def parse_query(method: str, raw: bytes) -> Query:
    """Parse the raw query string of a `GET` or `POST`.

    Raises:
        ContractError: BAD_FORMAT_TYPE: format_type is missing, unknown or does not fit the method, or type1
            is unknown.
    """
    values = _split(_text(raw))
    try:
        mode = Mode(_plain(values.get("format_type", "")))
        type1 = Role(_plain(values.get("type1", "")) or Role.CARD)
    except ValueError:
        raise ContractError(ErrorCode.BAD_FORMAT_TYPE) from None
    if (mode is Mode.URL) != (method == "GET"):
        raise ContractError(ErrorCode.BAD_FORMAT_TYPE)
    if mode is not Mode.URL:
        return Query(mode, type1)
    return Query(mode, type1, _url(values.get("img1", "")), _url(values.get("img2", "")))


def parse_type1(raw: bytes) -> Role:
    """`type1` of a query; other parameters do not matter.

    Raises:
        ContractError: BAD_FORMAT_TYPE: type1 is unknown.
    """
    try:
        return Role(_plain(_split(_text(raw)).get("type1", "")) or Role.CARD)
    except ValueError:
        raise ContractError(ErrorCode.BAD_FORMAT_TYPE) from None


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _split(query: str) -> dict[str, str]:
    """The parameters of the contract and their raw values; the first value of a repeated one."""
    marks = list(_KNOWN.finditer(query))
    ends = [*(mark.start() for mark in marks), len(query)][1:]
    values: dict[str, str] = {}
    for mark, end in zip(marks, ends, strict=True):
        values.setdefault(mark.group(1), query[mark.end() : end])
    return values


def _plain(value: str) -> str:
    return unquote_plus(value.partition("&")[0]).strip()


def _url(raw: str) -> str:
    """The URL that the client meant by the raw value of `img1` or `img2`."""
    first = raw.partition("&")[0]
    # A URL without a query cannot continue after `&`: the rest are additional parameters of the client.
    raw = _without_extras(raw) if "?" in first else first
    if "://" not in raw:
        return unquote_plus(raw).strip()
    return _unescaped_url(raw).strip()


def _without_extras(raw: str) -> str:
    parts = raw.split("&")
    while len(parts) > 1 and parts[-1].startswith(_KNOWN_EXTRAS):
        parts.pop()
    return "&".join(parts)


def _unescaped_url(raw: str) -> str:
    """Decode a URL with a literal scheme: partly encoded (its query), encoded by `encodeURI`, or not encoded."""
    _, question, query = raw.lower().partition("?")
    # quote(url, safe=":/") encodes "?"; Apple's URLQueryItem keeps ":/?" and encodes "&" and "=".
    if ("=" not in query and "%3d" in query) if question else "%3f" in raw.lower():
        return unquote(raw)
    # The URL's own escapes must stay (the %2B of a signature is not +); encodeURI turned their % into %25.
    return raw.replace("%25", "%")
