"""Replies of the port itself, for what never becomes a request of the application: the same envelope, as bytes."""

from __future__ import annotations

from http import HTTPStatus

from facematch_server.wire.reply import print_failure


def raw_failure(status: int, message: str, retry_after: int | None = None) -> bytes:
    """A whole HTTP/1.1 response after which the connection is closed."""
    body = print_failure(status, message)
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "x-content-type-options: nosniff",
        "connection: close",
        *([] if retry_after is None else [f"retry-after: {retry_after}"]),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
