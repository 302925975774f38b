"""Marks the replies of scenarios, and delays or breaks them."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facematch_server.access.credentials import parse_basic
from facematch_server.scenarios.comparer import PROXY_PAGES
from facematch_server.scenarios.key import PREFIX, Breakage, Scenario, parse_scenario

SCENARIO_HEADER: Final = "X-Facematch-Scenario"


class ScenarioMiddleware:
    """Marks, delays and breaks the replies of scenarios."""

    def __init__(self, app: ASGIApp, paths: tuple[str, ...]) -> None:
        """See the class.

        Args:
            app: the application.
            paths: the paths that accept scenarios. On other paths the middleware removes such credentials, because a
                key that takes any secret must open fixed replies only.
        """
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        credentials = parse_basic(Headers(scope=scope).get("authorization")) if scope["type"] == "http" else None
        if credentials is None or not credentials.api_key.startswith(PREFIX):
            await self._app(scope, receive, send)
        elif scope["path"] in self._paths:
            scenario = parse_scenario(credentials.api_key)
            await self._app(scope, receive, _Reply(scenario, send).send)
        else:
            headers = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
            await self._app({**scope, "headers": headers}, receive, send)


class _Reply:
    """Collects one reply before sending it, so that it can be changed."""

    def __init__(self, scenario: Scenario | None, send: Send) -> None:
        self._scenario = scenario
        self._send = send
        self._start: Message = {}
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._finish()

    async def _finish(self) -> None:
        scenario, start, body = self._scenario, self._start, self._body
        headers = MutableHeaders(scope=start)
        headers[SCENARIO_HEADER] = scenario.name if scenario else "unknown"
        if start["status"] in PROXY_PAGES:
            headers["content-type"] = "text/html"
            title = PROXY_PAGES[start["status"]]
            body = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>{title}</body>\r\n</html>".encode()
        breakage = scenario.breakage if scenario else None
        if breakage is Breakage.MALFORMED_JSON:
            body = body[: len(body) // 2]
        elif breakage is Breakage.EMPTY_BODY:
            body = b""
        headers["content-length"] = str(len(body))
        await asyncio.sleep(scenario.seconds if scenario else 0.0)
        await self._send(start)
        # If the application returns before it has sent the stated length, the server closes the connection.
        lost = breakage is Breakage.CONNECTION_LOST
        await self._send(
            {
                "type": "http.response.body",
                "body": body[: len(body) // 2] if lost else body,
                "more_body": lost,
            }
        )
