"""The application: its routes, and the middleware around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from facematch_local import __version__
from facematch_local.codes import ErrorCode
from facematch_server.access.key_store import KeyStore
from facematch_server.assembly import Parts, new_cores, open_services
from facematch_server.errors import ContractError, ServiceError
from facematch_server.http.edge import ApiCorsMiddleware, PathMiddleware, ReplyHeadersMiddleware
from facematch_server.http.replies import documented_error, failure, service_error
from facematch_server.http.request_log import REQUEST_ID_HEADER, RequestMiddleware
from facematch_server.http.request_record import record_of
from facematch_server.logs import log_fault
from facematch_server.matching.comparer import Matcher
from facematch_server.matching.cores import Cores
from facematch_server.metrics import Metrics
from facematch_server.routes import compare, docs, face_matching, health, page
from facematch_server.scenarios.middleware import SCENARIO_HEADER, ScenarioMiddleware
from facematch_server.services import ComparerFor, PhotoFetcher, Services
from facematch_server.settings import Settings
from facematch_server.store import UnavailableError
from facematch_server.wire.openapi import complete_description
from facematch_server.wire.reply import WARNINGS_HEADER

if TYPE_CHECKING:
    from facematch_server.decoding.decoder_pool import DecoderPool


def create_app(
    settings: Settings | None = None,
    matcher: Matcher | None = None,
    store: KeyStore | None = None,
    fetcher: PhotoFetcher | None = None,
    comparer_for: ComparerFor | None = None,
    cores: Cores | None = None,
    decoders: DecoderPool | None = None,
    metrics: Metrics | None = None,
) -> FastAPI:
    """The public application. It builds the missing parts when it starts and closes them when it stops.

    Args:
        settings: options; default from the environment.
        matcher: see `assembly.Parts`, also for the following.
        store: keys and quotas.
        fetcher: fetches photos by URL.
        comparer_for: the comparer for each key.
        cores: the cores that `matcher` shares with the service.
        decoders: the processes that decode for `matcher`.
        metrics: counts.
    """
    settings = settings or Settings()
    parts = Parts(cores or new_cores(settings), matcher, store, fetcher, comparer_for, decoders, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings, parts) as services:
            app.state.services = services
            yield

    routers = [face_matching.router, health.health]
    if settings.internal_port is None:
        routers += [compare.router, health.metrics, *([page.router] if settings.page else [])]
    app = _new_app(routers, lifespan=lifespan, with_docs=settings.docs and settings.internal_port is None)
    _surround(app, settings)
    return app


def create_internal_app(settings: Settings, services: Services) -> FastAPI:
    """The application of the internal port, with the services of a running public application."""
    routers = [compare.router, health.health, health.metrics, *([page.router] if settings.page else [])]
    app = _new_app(routers, lifespan=None, with_docs=settings.docs)
    app.state.services = services
    _surround(app, settings)
    return app


def _new_app(routers: list[APIRouter], lifespan: Any, with_docs: bool) -> FastAPI:
    app = FastAPI(
        title="facematch-local",
        version=__version__,
        summary="Offline face matching of an ID card photo and a portrait.",
        lifespan=lifespan,
        openapi_url=None,  # FastAPI would render it for every request
        docs_url=None,  # FastAPI's page loads its scripts from a CDN
        redoc_url=None,
        redirect_slashes=False,  # a redirected POST arrives without its body or credentials
    )
    complete_description(app)
    for router in (*routers, docs.new_router(app.openapi)) if with_docs else routers:
        app.include_router(router)
    return app


def _surround(app: FastAPI, settings: Settings) -> None:
    app.add_exception_handler(ServiceError, _on_service_error)
    app.add_exception_handler(UnavailableError, _on_unavailable)
    app.add_exception_handler(HTTPException, _on_http_error)
    if settings.scenarios:
        app.add_middleware(ScenarioMiddleware, paths=face_matching.PATHS)
    app.add_middleware(RequestMiddleware)
    if settings.cors_origins:
        app.add_middleware(
            ApiCorsMiddleware,
            paths=(*face_matching.PATHS, compare.PATH),
            origins=settings.cors_origins,
            expose_headers=[WARNINGS_HEADER, REQUEST_ID_HEADER, SCENARIO_HEADER, "Retry-After"],
        )
    app.add_middleware(ReplyHeadersMiddleware)
    app.add_middleware(PathMiddleware)


async def _on_service_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)  # noqa: S101
    return service_error(error)


async def _on_unavailable(request: Request, error: Exception) -> Response:
    """The database does not work, so the service admits no request."""
    assert isinstance(error, UnavailableError)  # noqa: S101
    record = record_of(request)
    log_fault("the database does not answer", error, request_id=record.request_id, reason=str(error.why))
    return service_error(ServiceError(503, "The service is unavailable, try again later", retry_after=5.0))


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Wrong path or method: the envelope around the usual HTTP status."""
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 405 and request.scope["path"] in face_matching.PATHS:
        code = ContractError(ErrorCode.BAD_FORMAT_TYPE, status=405)
        response = documented_error(code, request.app.state.services.settings.wire_profile)
        # Starlette names the methods of the first route only; these paths have a route for each method.
        response.headers["Allow"] = "GET, POST"
        return response
    response = failure(error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response
