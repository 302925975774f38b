"""From a request to its two photos, and to the work on them: the part that all comparing routes share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request

from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError, documented
from facematch_server.http.body import body_limit, read_body
from facematch_server.http.record import Record, address_of
from facematch_server.services import Services
from facematch_server.wire.photos import PhotoPair, both, take_photos
from facematch_server.wire.query import Mode, Query

_T = TypeVar("_T")


async def with_photos(
    services: Services, record: Record, request: Request, query: Query, work: Callable[[PhotoPair], _T]
) -> _T:
    """Receive both photos of a request and run `work` on them in a thread, in a slot of the pool.

    Args:
        services: the shared parts.
        record: the notes on the request; receives the seconds of the stages.
        request: the request; its body is read here.
        query: how the photos come.
        work: runs in a thread of the pool. Errors of the library about a photo become documented outcomes.

    Raises:
        ContractError: the photos are missing, cannot be fetched or cannot be read, or `work` raised it.
        ServiceError: the service is busy, or the body or the result is late.
        ClientGoneError: the client closed the connection while its body was read.
    """
    deadline = record.started + services.settings.deadline_seconds
    with services.pool.slot(record.key or "", address_of(request)) as slot:
        photos = await read_photos(services, record, request, query, deadline)

        def job() -> _T:
            received = photos()
            with documented():
                return work(received)

        try:
            return await slot.run(job, deadline)
        finally:
            if slot.queue_seconds is not None:
                record.seconds["queue"] = slot.queue_seconds


async def read_photos(
    services: Services, record: Record, request: Request, query: Query, deadline: float
) -> Callable[[], PhotoPair]:
    """Read the body, or fetch the URLs; return a function that gives the photos, for a worker thread to call.

    A body is parsed in that thread, because parsing takes too long for the event loop.
    """
    settings = services.settings
    if query.mode is Mode.URL:
        if not query.url1 or not query.url2:
            raise ContractError(ErrorCode.NO_CONTENT)
        with record.stage("fetch"), documented():
            photos = both(*await services.fetcher.fetch_both(query.url1, query.url2, deadline))
        return lambda: photos
    content_type = request.headers.get("content-type", "")
    with record.stage("body"):
        body = await read_body(request, body_limit(settings.max_image_bytes), settings.body_seconds, deadline)
    return lambda: take_photos(query.mode, content_type, body, settings.max_image_bytes)
