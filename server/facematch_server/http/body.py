"""Reads request bodies into memory, with limits on size and time."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Final

from starlette.requests import ClientDisconnect, Request

from facematch_local.codes import ErrorCode
from facematch_server.errors import ClientGoneError, ContractError, ServiceError

# Bytes of a body beside the photos: part headers, JSON punctuation, additional fields.
OVERHEAD: Final = 64 * 1024


def body_limit(max_image_bytes: int) -> int:
    """The largest body of two photos of `max_image_bytes`: base64 in lines of 76 with escaped line breaks."""
    return 2 * (max_image_bytes * 4 // 3 * 78 // 76) + OVERHEAD


async def read_body(request: Request, limit: int, seconds: float, deadline: float = math.inf) -> bytes:
    """Read the whole body.

    Bytes beyond the limit are not read here. The connection (see `running.protocol`) discards them, so that a client
    that sends everything before it listens still gets its reply.

    Args:
        request: the request.
        limit: largest size in bytes.
        seconds: longest time.
        deadline: latest moment, on the clock of `time.monotonic`; the earlier of both limits counts.

    Raises:
        ContractError: BAD_IMAGE: the body is larger than `limit`.
        ServiceError: 408: the body did not arrive in time.
        ClientGoneError: the client closed the connection.
    """
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdigit() and (len(stated) > 15 or int(stated) > limit):
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(min(seconds, max(deadline - time.monotonic(), 0.0))):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
    except TimeoutError:
        raise ServiceError(408, "The request body did not arrive in time", close=True) from None
    except ClientDisconnect:
        raise ClientGoneError from None
    return b"".join(chunks)


def _too_large(limit: int) -> ContractError:
    return ContractError(ErrorCode.BAD_IMAGE, reason=f"the request is larger than {limit} bytes")


async def leave_if_lost(request: Request) -> None:
    """End a request whose client is gone; call it before the reply is counted.

    A client that closed its sending half only may still wait, and gets its reply.

    Raises:
        ClientGoneError: the connection is closed.
    """
    if await request.is_disconnected():
        raise ClientGoneError
