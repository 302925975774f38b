"""Around the application in a replica: one reply to `/metrics` for all replicas, and no second request id."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Final, Protocol

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from facematch_server.cluster.metrics_board import together
from facematch_server.http.request_log import REQUEST_ID_HEADER
from facematch_server.metrics import CONTENT_TYPE

_PUT_SECONDS: Final = 5.0


class Board(Protocol):
    """Where replicas put their metrics."""

    def put(self, replica: str, text: str) -> Awaitable[object]:
        """Replace the metrics of a replica."""
        ...

    def read(self) -> Awaitable[dict[str, str]]:
        """The metrics of all replicas."""
        ...


class Front:
    """An ASGI application around the service's."""

    def __init__(self, app: FastAPI, board: Board, replica: str) -> None:
        """Take the application, the board and the name of this replica."""
        self._app, self._board, self._replica = app, board, replica
        self._putting: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._started(send))
        elif scope["type"] == "http" and scope["path"] == "/metrics" and scope["method"] == "GET":
            await (await self._metrics())(scope, receive, send)
        else:
            await self._app(scope, receive, _without_request_id(send))

    def _started(self, send: Send) -> Send:
        async def noting(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._putting = asyncio.create_task(self._put_often())
            elif message["type"].startswith("lifespan.shutdown") and self._putting is not None:
                self._putting.cancel()
            await send(message)

        return noting

    async def _metrics(self) -> Response:
        texts = {self._replica: self._own()}
        # Without the board, the metrics of this replica are better than none.
        with contextlib.suppress(Exception):
            await self._board.put(self._replica, texts[self._replica])
            texts = await self._board.read()
        return Response(together(texts), headers={"Content-Type": CONTENT_TYPE})

    async def _put_often(self) -> None:
        while True:
            with contextlib.suppress(Exception):
                await self._board.put(self._replica, self._own())
            await asyncio.sleep(_PUT_SECONDS)

    def _own(self) -> str:
        text: bytes = self._app.state.services.metrics.text()
        return text.decode()


def _without_request_id(send: Send) -> Send:
    """Ray Serve's proxy adds the header itself, with the id that the service logs."""

    async def dropping(message: Message) -> None:
        if message["type"] == "http.response.start":
            del MutableHeaders(scope=message)[REQUEST_ID_HEADER]
        await send(message)

    return dropping
