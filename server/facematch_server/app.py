"""The application: parts put together, routes, what surrounds them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread
from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from facematch_local import __version__
from facematch_local.codes import ErrorCode
from facematch_server.access.gatekeeper import Key, KeyStore
from facematch_server.errors import ContractError, ServiceError
from facematch_server.http.edge import ApiCorsMiddleware, PathMiddleware, ReplyHeadersMiddleware
from facematch_server.http.middleware import REQUEST_ID_HEADER, RequestMiddleware
from facematch_server.http.record import record_of
from facematch_server.http.replies import documented_error, failure, service_error
from facematch_server.logs import LOGGER, log, log_fault
from facematch_server.matching.comparer import Comparer, Matcher, MatcherComparer, warm_up
from facematch_server.matching.pool import Cores
from facematch_server.routes import compare, docs, face_matching, health, page
from facematch_server.scenarios import SCENARIO_HEADER, ScenarioMiddleware, ScenarioStore, scenario_comparers
from facematch_server.services import (
    PhotoFetcher,
    Services,
    build_services,
    close_services,
    new_cores,
    open_fetcher,
    open_matcher,
    open_store,
    pack_labels,
    photo_decoder,
    start_decoders,
)
from facematch_server.settings import Settings
from facematch_server.store import UnavailableError
from facematch_server.wire import WARNINGS_HEADER
from facematch_server.wire.openapi import complete_description

if TYPE_CHECKING:
    from facematch_server.decoding.pool import DecoderPool

ComparerFor = Callable[[Key], Comparer]

_END_SECONDS: Final = 1.0


def create_app(
    settings: Settings | None = None,
    matcher: Matcher | None = None,
    store: KeyStore | None = None,
    fetcher: PhotoFetcher | None = None,
    comparer_for: ComparerFor | None = None,
    cores: Cores | None = None,
    decoders: DecoderPool | None = None,
) -> FastAPI:
    """The public application.

    What is not given is opened when the application starts and closed when it stops.

    Args:
        settings: options; default from the environment.
        matcher: compares photos.
        store: keys and quotas.
        fetcher: gets photos by URL.
        comparer_for: who answers the requests of a key, instead of the matcher.
        cores: the cores that `matcher` shares with the service.
        decoders: the processes that decode for `matcher`, closed when the application stops; without a matcher they
            are started as the options say.
    """
    settings = settings or Settings()
    parts = _Parts(cores or new_cores(settings), matcher, store, fetcher, comparer_for, decoders)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.services = await _open(settings, stack, parts)
            yield

    routers = [face_matching.router, health.health]
    if settings.internal_port is None:
        routers += [compare.router, health.metrics, *([page.router] if settings.page else [])]
    app = _new_app(routers, lifespan=lifespan, with_docs=settings.docs and settings.internal_port is None)
    _surround(app, settings)
    return app


def create_internal_app(settings: Settings, services: Services) -> FastAPI:
    """What is served on the internal port, with the services of a running public application."""
    routers = [compare.router, health.health, health.metrics, *([page.router] if settings.page else [])]
    app = _new_app(routers, lifespan=None, with_docs=settings.docs)
    app.state.services = services
    _surround(app, settings)
    return app


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the caller brings; None is opened at the start."""

    cores: Cores
    matcher: Matcher | None
    store: KeyStore | None
    fetcher: PhotoFetcher | None
    comparer_for: ComparerFor | None
    decoders: DecoderPool | None


async def _open(settings: Settings, stack: AsyncExitStack, parts: _Parts) -> Services:
    matcher, store, fetcher, decoders = parts.matcher, parts.store, parts.fetcher, parts.decoders
    if matcher is None and decoders is None:
        decoders = start_decoders(settings, parts.cores)
    decoder = photo_decoder(settings, parts.cores, decoders)
    # Where the start fails; on the way down `_end` has done it before.
    stack.callback(_close, decoders)
    if matcher is None:
        matcher = await anyio.to_thread.run_sync(open_matcher, settings, parts.cores, decoder)
    await anyio.to_thread.run_sync(warm_up, matcher)
    if decoders is not None:
        await anyio.to_thread.run_sync(decoders.wait_until_ready)
    if store is None:
        opened = await anyio.to_thread.run_sync(open_store, settings)
        stack.callback(opened.close)
        store = opened
    if fetcher is None:
        fetcher = open_fetcher(settings)
        stack.push_async_callback(fetcher.aclose)
    comparer_for = parts.comparer_for
    if settings.scenarios:
        comparer = MatcherComparer(matcher)
        comparer_for = scenario_comparers(decoder, comparer_for or (lambda _: comparer))
        store = ScenarioStore(store)
        LOGGER.warning("scenarios are on: API keys that begin with 'scenario-' get made-up replies")
    services = build_services(settings, parts.cores, matcher, store, fetcher, comparer_for, decoders)
    stack.push_async_callback(_end, services, decoders)
    log("ready", **pack_labels(matcher), threads=services.pool.threads, places=services.pool.places)
    return services


async def _end(services: Services, decoders: DecoderPool | None) -> None:
    """End decoders and threads, in this order: threads wait for decoders.

    No longer than a moment, and beside the event loop, which has to hear of a second signal: nothing ends a thread in
    the middle of native work, and no request waits for it any more.
    """

    def close() -> None:
        _close(decoders)
        close_services(services)

    with anyio.move_on_after(_END_SECONDS):
        await anyio.to_thread.run_sync(close, abandon_on_cancel=True)


def _close(decoders: DecoderPool | None) -> None:
    if decoders is not None:
        decoders.close()


def _new_app(routers: list[APIRouter], lifespan: Any, with_docs: bool) -> FastAPI:
    app = FastAPI(
        title="facematch-local",
        version=__version__,
        summary="Offline face matching of an ID card photo and a portrait.",
        lifespan=lifespan,
        openapi_url=None,  # FastAPI renders it anew for every request
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
    """Without the database nobody can be admitted, and nobody is."""
    assert isinstance(error, UnavailableError)  # noqa: S101
    record = record_of(request)
    log_fault("the database does not answer", error, request_id=record.request_id, reason=str(error.why))
    return service_error(ServiceError(503, "The service is unavailable, try again later", retry_after=5.0))


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Wrong path or method: the envelope with the HTTP status it has everywhere."""
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 405 and request.scope["path"] in face_matching.PATHS:
        code = ContractError(ErrorCode.BAD_FORMAT_TYPE, status=405)
        response = documented_error(code, request.app.state.services.settings.wire_profile)
        # Starlette names the methods of the first route only; these paths have one for each.
        response.headers["Allow"] = "GET, POST"
        return response
    response = failure(error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response
