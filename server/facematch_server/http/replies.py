"""Printed bodies as HTTP responses."""

from __future__ import annotations

import math

from starlette.responses import Response

from facematch_server.errors import ContractError, ServiceError
from facematch_server.wire.profile import Profile
from facematch_server.wire.reply import print_error, print_failure

MEDIA_TYPE = "application/json"


def reply(body: bytes, headers: dict[str, str] | None = None) -> Response:
    """A reply of the contract."""
    return Response(body, 200, headers, MEDIA_TYPE)


def documented_error(error: ContractError, profile: Profile) -> Response:
    """A reply with an errorCode of the contract."""
    return Response(print_error(error.code, profile), error.status, retry_header(error.retry_after), MEDIA_TYPE)


def service_error(error: ServiceError) -> Response:
    """A reply for an undocumented outcome."""
    headers = retry_header(error.retry_after)
    if error.close:
        headers["Connection"] = "close"
    return failure(error.status, error.message, headers)


def failure(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """The envelope around an HTTP error."""
    return Response(print_failure(status, message), status, headers, MEDIA_TYPE)


def retry_header(retry_after: float | None) -> dict[str, str]:
    """The header `Retry-After` in whole seconds, at least 1; nothing for None."""
    return {} if retry_after is None else {"Retry-After": str(max(math.ceil(retry_after), 1))}
