"""Replies without the application, for input that never becomes a request: the same envelope, as bytes."""

from __future__ import annotations

from http import HTTPStatus

from facematch_server.wire.reply import print_failure


def raw_failure(status: int, message: str, retry_after: int | None = None) -> bytes:
    """A complete HTTP/1.1 response that closes the connection."""
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
