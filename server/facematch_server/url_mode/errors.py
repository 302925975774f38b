"""Why a URL gave no photo."""

from __future__ import annotations

from enum import StrEnum

from facematch_local.errors import FacematchError


class Reason(StrEnum):
    """Why a URL gave no photo."""

    MALFORMED = "malformed"
    FORBIDDEN = "forbidden"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    STATUS = "status"
    REDIRECT = "redirect"
    BODY = "body"


class UrlUnavailableError(FacematchError):
    """errorCode 2. The message may name scheme, host and port of the URL, never its path or query.

    Attributes:
        reason: the reason as a code.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
