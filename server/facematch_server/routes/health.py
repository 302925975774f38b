"""`/healthz`: the process answers. `/readyz`: send it requests. `/metrics`: Prometheus."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from facematch_server.logs import log_fault
from facematch_server.metrics import CONTENT_TYPE
from facematch_server.services import Services, services_of

health = APIRouter()
metrics = APIRouter()


@health.get("/healthz", summary="The process answers")
async def healthz() -> JSONResponse:
    """Always 200 while the process lives; says nothing of what it depends on."""
    return JSONResponse({"status": "ok"})


@health.get("/readyz", summary="Requests may be sent", responses={503: {"description": "Draining, or no database"}})
async def readyz(request: Request) -> JSONResponse:
    """200 when models are loaded and the database answers; 503 while draining or without a database."""
    services = services_of(request)
    checks = {"draining": services.draining, "database": await _database_answers(services)}
    ready = checks["database"] and not checks["draining"]
    return JSONResponse({"status": "ok" if ready else "unavailable", **checks}, 200 if ready else 503)


@metrics.get("/metrics", summary="Prometheus metrics", response_class=Response)
async def prometheus(request: Request) -> Response:
    """Counts and durations in Prometheus' text format."""
    return Response(services_of(request).metrics.text(), headers={"Content-Type": CONTENT_TYPE})


async def _database_answers(services: Services) -> bool:
    try:
        with anyio.fail_after(2):
            await anyio.to_thread.run_sync(services.store.ping, abandon_on_cancel=True)
    except Exception as error:  # any driver's own
        log_fault("the database does not answer", error)
        return False
    return True
