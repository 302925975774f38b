"""HTTP Basic credentials."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Credentials:
    """User and password of HTTP Basic authentication; never printed."""

    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return "Credentials(…)"


def parse_basic(header: str | None) -> Credentials | None:
    """Parse an `Authorization` header; None unless it holds Basic credentials.

    Some encoders fold long lines, which leaves blanks in the header; some omit the padding.
    """
    scheme, _, encoded = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    letters = "".join(encoded.split()).rstrip("=")
    try:
        decoded = base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
        text = decoded.decode("utf-8")
    except (binascii.Error, UnicodeError, ValueError):
        return None
    api_key, colon, api_secret = text.partition(":")
    return Credentials(api_key, api_secret) if colon and api_key and api_secret else None
