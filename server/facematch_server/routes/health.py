"""`/healthz`: the process answers. `/readyz`: send it requests. `/metrics`: Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from facematch_server.metrics import CONTENT_TYPE
from facematch_server.routes.plain import PlainRoute
from facematch_server.services import services_of

health = APIRouter(route_class=PlainRoute)
metrics = APIRouter(route_class=PlainRoute)


@health.get("/healthz", summary="The process answers")
async def healthz(_: Request) -> JSONResponse:
    """Always 200 while the process lives; does not check the database."""
    return JSONResponse({"status": "ok"})


@health.get("/readyz", summary="Requests may be sent", responses={503: {"description": "Draining, or no database"}})
async def readyz(request: Request) -> JSONResponse:
    """200 if the models are loaded and the database works; 503 while draining or without a database."""
    services = services_of(request)
    trouble = await services.storage.trouble()
    ready = trouble is None and not services.draining
    content = {"status": "ok" if ready else "unavailable", "draining": services.draining, "database": trouble is None}
    if trouble is not None:
        content["reason"] = trouble
    return JSONResponse(content, 200 if ready else 503)


@metrics.get("/metrics", summary="Prometheus metrics", response_class=Response)
async def prometheus(request: Request) -> Response:
    """Counts and durations in the text format of Prometheus."""
    return Response(services_of(request).metrics.text(), headers={"Content-Type": CONTENT_TYPE})
