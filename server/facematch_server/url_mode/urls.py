"""Parses web URLs, once.

The check, the connection and the request all use the same `WebUrl`, so an attacker cannot exploit differences between
two parsers. Host and port are parsed strictly; path and query leniently, since clients send them with spaces and
letters of any script.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urljoin

MAX_URL: Final = 8192
MAX_HOST: Final = 253
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?", re.I)
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>[0-9]{0,5}))?", re.I)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Printable ASCII without the characters that the URL standard encodes in paths and queries (space, quotes, angle
# brackets, the backslash ...). These characters stay unchanged: a signed URL must arrive as it was signed.
_SAFE_IN_PATH: Final = "%/:@!$&'()*+,;=[]|~"
_SAFE_IN_QUERY: Final = _SAFE_IN_PATH + "?^`{}"


class MalformedUrlError(ValueError):
    """Not a usable http or https URL. The message does not quote it."""


@dataclass(frozen=True, slots=True)
class WebUrl:
    """An http or https URL.

    Attributes:
        scheme: "http" or "https".
        host: lower case ASCII: a DNS name (IDNA encoded, no final dot) or an IP address (no brackets).
        port: 1 to 65535.
        target: path and query as sent to the server, ASCII, percent-encoded.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The `Host` header: with the port only if it is not the default of the scheme."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port; messages may show no more of a URL."""
        return f"{self.scheme}://{self.authority}"


def parse(text: str) -> WebUrl:
    """Parse a URL.

    Raises:
        MalformedUrlError: another scheme, a user name, an unusual spelling of an address, ...
    """
    text = text.strip(" \t\r\n")
    if len(text) > MAX_URL:
        raise MalformedUrlError(f"the URL is longer than {MAX_URL} characters")
    # Other parsers drop tabs and line breaks, or end the host there.
    if _CONTROL.search(text):
        raise MalformedUrlError("the URL holds a control character")
    match = _URL.match(text)
    if not match:
        raise MalformedUrlError("the URL does not begin with http://host or https://host")
    scheme = match["scheme"].lower()
    host, port = _authority(match["authority"])
    return WebUrl(scheme, host, port or _DEFAULT_PORTS[scheme], _target(match["path"], match["query"] or ""))


def join(base: WebUrl, location: str) -> WebUrl:
    """The target of a redirect.

    Raises:
        MalformedUrlError: see `parse`.
    """
    location = location.strip(" \t\r\n")
    if _ABSOLUTE.match(location):
        return parse(location)
    if location.startswith("//"):
        return parse(f"{base.scheme}:{location}")
    try:
        return parse(base.origin + urljoin(base.target, location))
    except MalformedUrlError:
        raise
    except ValueError:
        raise MalformedUrlError("the redirect leads nowhere") from None


def _authority(text: str) -> tuple[str, int | None]:
    # "@": credentials are never sent. "\\": browsers read it as a slash. "%": escapes and IPv6 zones.
    if any(char in text for char in "@\\%"):
        raise MalformedUrlError("the URL's host holds a character that hosts do not have")
    match = _AUTHORITY.fullmatch(text)
    if not match:
        raise MalformedUrlError("the URL has no host, or not one of the form host:port")
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 1 <= port <= 65535:
        raise MalformedUrlError("the URL's port is not between 1 and 65535")
    if match["v6"]:
        try:
            return str(ipaddress.IPv6Address(match["v6"])), port
        except ValueError:
            raise MalformedUrlError("the URL's host is not an IPv6 address") from None
    return _name(match["name"]), port


def _name(text: str) -> str:
    if len(text) > MAX_HOST:
        raise MalformedUrlError("the URL's host is not a domain name")
    if not text.isascii():
        import idna

        try:
            # First map full-width and circled digits, full stops of other scripts and the like to ASCII,
            # as browsers and resolvers do; what comes out is judged below like any other name.
            text = idna.encode(text, uts46=True, std3_rules=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise MalformedUrlError("the URL's host is not a domain name") from None
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > MAX_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise MalformedUrlError("the URL's host is not a domain name")
    if _NUMBER.fullmatch(labels[-1]):
        # Resolvers read 2130706433, 0x7f.1, 017700000001 and 127.1 as 127.0.0.1; no photo store uses such forms.
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise MalformedUrlError("the URL's host is not an IPv4 address of four decimal numbers") from None
    return name


def _target(path: str, query: str) -> str:
    try:
        return _encode(path or "/", _SAFE_IN_PATH) + _encode(query, _SAFE_IN_QUERY)
    except UnicodeError:
        raise MalformedUrlError("the URL holds half of a surrogate pair") from None


def _encode(text: str, safe: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", text), safe=safe)
