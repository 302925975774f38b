"""Routes whose handlers read the request themselves."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response


class PlainRoute(APIRoute):
    """A route that FastAPI describes, but whose dependencies it does not solve.

    FastAPI parses query and cookies of every request on the event loop before the handler runs, also of requests
    without a key. The handlers here take the `Request` alone, and bound what they parse.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself; it takes a `Request` and returns a `Response`."""
        endpoint: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return endpoint
