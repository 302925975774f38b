"""`/docs`: the API's description for people, also where there is no internet."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from facematch_server.docs_page import render

router = APIRouter()

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
}


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """The description as HTML."""
    return HTMLResponse(render(request.app.openapi()), headers=_HEADERS)
