"""Reads request bodies: whole, in memory, and never more or for longer than allowed."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Final

from starlette.requests import ClientDisconnect, Request

from facematch_local.codes import ErrorCode
from facematch_server.errors import ClientGoneError, ContractError, ServiceError

# Room for everything in a body that is not photo: part headers, JSON punctuation, fields of the client's own.
OVERHEAD: Final = 64 * 1024


def body_limit(max_image_bytes: int) -> int:
    """The largest body two photos of `max_image_bytes` can need: base64 in lines of 76 with escaped breaks."""
    return 2 * (max_image_bytes * 4 // 3 * 78 // 76) + OVERHEAD


async def read_body(request: Request, limit: int, seconds: float, deadline: float = math.inf) -> bytes:
    """Read the whole body.

    What exceeds the limit is not read here; the connection (see `protocol`) throws it away, so that a
    client that only listens after sending still gets its reply.

    Args:
        request: whose body.
        limit: bytes.
        seconds: how long it may take.
        deadline: the same as a moment, on the clock of `time.monotonic`; the earlier one counts.

    Raises:
        ContractError: BAD_IMAGE: it is larger than `limit`.
        ServiceError: 408: it did not come in time.
        ClientGoneError: the client broke off.
    """
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdigit() and (len(stated) > 15 or int(stated) > limit):
        raise ContractError(ErrorCode.BAD_IMAGE)
    body = bytearray()
    try:
        async with asyncio.timeout(min(seconds, max(deadline - time.monotonic(), 0.0))):
            async for chunk in request.stream():
                if len(body) + len(chunk) > limit:
                    raise ContractError(ErrorCode.BAD_IMAGE)
                body += chunk
    except TimeoutError:
        raise ServiceError(408, "The request body did not arrive in time", close=True) from None
    except ClientDisconnect:
        raise ClientGoneError from None
    return bytes(body)


async def leave_if_lost(request: Request) -> None:
    """To be called before a reply is counted.

    A client that closed its sending half may still be waiting, and gets its reply; one whose connection is gone
    cannot.

    Raises:
        ClientGoneError: nothing can be sent any more.
    """
    if await request.is_disconnected():
        raise ClientGoneError
