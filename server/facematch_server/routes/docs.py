"""`/docs` and `/openapi.json`: the API description for people and for programs, without the internet."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from facematch_server.routes.docs_page import render
from facematch_server.routes.plain import PlainRoute

OPENAPI_PATH = "/openapi.json"

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
}


def new_router(describe: Callable[[], dict[str, Any]]) -> APIRouter:
    """The two routes.

    Both bodies are rendered at the first request and kept: every client may ask for them without a key, and rendering
    holds the event loop for several milliseconds.

    Args:
        describe: returns the OpenAPI description, see `FastAPI.openapi`; called once.
    """
    router = APIRouter(route_class=PlainRoute)
    description = cache(describe)
    page = cache(lambda: HTMLResponse(render(description())).body)
    openapi = cache(lambda: JSONResponse(description()).body)

    @router.get("/docs", include_in_schema=False)
    async def docs(_: Request) -> Response:
        return Response(page(), media_type="text/html", headers=_HEADERS)

    @router.get(OPENAPI_PATH, include_in_schema=False)
    async def openapi_json(_: Request) -> Response:
        return Response(openapi(), media_type="application/json")

    return router
