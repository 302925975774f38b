"""The outermost middleware: tolerant paths, headers of every reply, CORS."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facematch_server.http.replies import MEDIA_TYPE, failure

_SLASHES: Final = re.compile(r"/{2,}")

# For replies that are not pages: a browser may load, run and frame nothing.
_NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class PathMiddleware:
    """Treats `//api/x/` as `/api/x`: some clients join a base address and a path carelessly."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http":
            path = tidy_path(scope["path"])
            if path != scope["path"]:
                scope = {**scope, "path": path, "raw_path": path.encode("utf-8", "surrogateescape")}
        await self._app(scope, receive, send)


def tidy_path(path: str) -> str:
    """The path with single slashes and without a slash at its end."""
    return _SLASHES.sub("/", path).rstrip("/") or "/"


class ReplyHeadersMiddleware:
    """Headers of every reply: no type guessing, no loading, and an end of the connection after an unread body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        unread = _has_body(Headers(scope=scope))

        async def receive_noting() -> Message:
            nonlocal unread
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                unread = False
            return message

        async def send_completing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                if headers.get("content-type") != MEDIA_TYPE:
                    headers.setdefault("Content-Security-Policy", _NOTHING)
                if unread:
                    # A refusal does not wait for the body; the rest of the body must not be read as a request.
                    headers["Connection"] = "close"
            await send(message)

        await self._app(scope, receive_noting, send_completing)


class ApiCorsMiddleware:
    """CORS on some paths only: pages of other origins may not read metrics or the API description."""

    def __init__(
        self, app: ASGIApp, paths: Collection[str], origins: Sequence[str], expose_headers: Sequence[str]
    ) -> None:
        """See the class.

        Args:
            app: the application.
            paths: the paths that other origins may call.
            origins: the other origins; `*` for any.
            expose_headers: the reply headers that their scripts may read.
        """
        self._app = app
        self._paths = frozenset(paths)
        self._cors = _Cors(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST", "OPTIONS"],
            allow_headers=["*"],
            # For a page on the internet that calls a service on this machine or in this network.
            allow_private_network=True,
            expose_headers=expose_headers,
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        allowed = scope["type"] == "http" and scope["path"] in self._paths
        await (self._cors if allowed else self._app)(scope, receive, send)


class _Cors(CORSMiddleware):
    """Starlette's middleware, with refusals in the contract's envelope."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        refusal = failure(response.status_code, "CORS does not allow this origin, method or header")
        kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        refusal.headers.update(kept)
        return refusal


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0").strip("0 ") != ""
