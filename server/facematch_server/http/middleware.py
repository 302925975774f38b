"""Around every request: an id, one log line, metrics, and an envelope for unexpected errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facematch_server.errors import ClientGoneError
from facematch_server.http.record import Record, attach, new_record
from facematch_server.http.replies import failure
from facematch_server.logs import log, log_fault
from facematch_server.metrics import Metrics

REQUEST_ID_HEADER: Final = "X-Request-ID"

# nginx's status for a client that closed the connection before the reply; logged and counted only.
CLIENT_GONE: Final = 499

# Methods counted by name; clients invent others.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Load balancers and Prometheus ask for these every few seconds: counted, not logged.
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestMiddleware:
    """The outermost middleware but for `edge`. Exceptions end here, so that no outer layer prints them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = new_record(Headers(scope=scope).get(REQUEST_ID_HEADER, ""))
        attach(scope, record)  # type: ignore[arg-type]
        status = 0

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = record.request_id
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except ClientGoneError:
            status = CLIENT_GONE
        except asyncio.CancelledError:
            # The time to stop is over; uvicorn's own reply would be a 500 in plain text.
            task = asyncio.current_task()
            if status or task is None or not scope["app"].state.services.draining:
                raise
            task.uncancel()
            headers = {"Connection": "close", "Retry-After": "1"}
            await failure(503, "The service is going down, try again later", headers)(scope, receive, send_noting)
        except Exception as error:
            log_fault("fault", error, request_id=record.request_id)
            record.error_code, record.invalid_code = "500", ""
            if status == 0:
                await failure(500, "Internal server error")(scope, receive, send_noting)
            status = 500
        finally:
            _note(scope, record, status or CLIENT_GONE)


def _note(scope: Scope, record: Record, status: int) -> None:
    # Looked up here: the middleware exists before the application starts, the metrics do not.
    metrics: Metrics = scope["app"].state.services.metrics
    route = getattr(scope.get("route"), "path", "(unknown)")
    method = scope["method"] if scope["method"] in _METHODS else "(unknown)"
    total = time.monotonic() - record.started
    # A copy: the thread of a request that timed out may still add a stage.
    seconds = dict(record.seconds)
    metrics.count_response(route, method, status)
    if record.endpoint:
        metrics.count_outcome(record.endpoint, record.error_code or str(status), record.invalid_code)
        metrics.observe({**seconds, "total": total})
    if route not in _QUIET:
        log("request", **_fields(record, method, route, status, seconds, total))


def _fields(
    record: Record, method: str, route: str, status: int, seconds: Mapping[str, float], total: float
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "request_id": record.request_id,
        "method": method,
        "route": route,
        "status": status,
        "error_code": record.error_code or None,
        "invalid_code": record.invalid_code or None,
        "key": record.key,
        "ms": round(total * 1000, 1),
    }
    fields.update({f"{stage}_ms": round(value * 1000, 1) for stage, value in seconds.items()})
    return {name: value for name, value in fields.items() if value is not None}
