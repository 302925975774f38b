"""`/docs` and `/openapi.json`: the API description for people and for programs, without the internet."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from facematch_server.routes.docs_page import render
from facematch_server.routes.plain import PlainRoute

OPENAPI_PATH = "/openapi.json"

STATIC: Final = Path(__file__).parent.parent / "static" / "docs"

# Scripts, styles and connections of this service only; pictures are the face crops of a reply.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
}


def new_router(describe: Callable[[], dict[str, Any]]) -> APIRouter:
    """The two routes, and the files of the page.

    Page and description are rendered at the first request and kept: every client may ask for them without a key, and
    rendering holds the event loop for several milliseconds.

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

    @router.get("/docs/{name}", include_in_schema=False)
    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ("docs.css", "docs.js"):
            raise HTTPException(404, "Not Found")
        return FileResponse(STATIC / name, headers=_HEADERS)

    @router.get(OPENAPI_PATH, include_in_schema=False)
    async def openapi_json(_: Request) -> Response:
        return Response(openapi(), media_type="application/json")

    return router
