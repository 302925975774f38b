"""`GET|POST /api/v2/ekyc/face_matching` and its v3 alias: the contract."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError, documented
from facematch_server.http.body import body_limit, leave_if_lost, read_body
from facematch_server.http.record import Record, address_of, record_of
from facematch_server.http.replies import documented_error, reply
from facematch_server.matching.comparer import Comparer
from facematch_server.matching.pool import Place
from facematch_server.routes.plain import PlainRoute
from facematch_server.services import PhotoFetcher, Services, services_of
from facematch_server.wire import (
    WARNINGS_HEADER,
    Asked,
    Compared,
    Mode,
    Photos,
    Profile,
    openapi,
    parse_query,
    print_comparison,
    take_photos,
)

PATHS = ("/api/v2/ekyc/face_matching", "/api/v3/ekyc/face_matching")

router = APIRouter(route_class=PlainRoute)


async def face_matching(request: Request) -> Response:
    """Compare two photos as the contract says."""
    services, record = services_of(request), record_of(request)
    record.endpoint = "face_matching"
    profile = services.settings.wire_profile
    address = address_of(request)
    deadline = record.started + services.settings.deadline_seconds
    try:
        # The order of the steps is the contract's order of errors: 5, 4, 6, 1, 2, 3.
        async with services.gatekeeper.admit(request.headers.get("authorization"), address, deadline) as admission:
            record.seconds["admit"] = time.monotonic() - record.started
            record.key = str(admission.key.id)
            profile = admission.profile(profile)
            asked = parse_query(request.method, request.scope["query_string"])
            comparer = services.comparer_for(admission.key)
            compared, body = await _answer(services, record, request, asked, comparer, profile)
            await leave_if_lost(request)
            with record.stage("commit"):
                await admission.commit()
    except ContractError as error:
        record.error_code = str(int(error.code))
        return documented_error(error, profile)
    record.error_code, record.invalid_code = str(int(ErrorCode.SUCCESS)), str(int(compared.warning))
    return reply(body, {WARNINGS_HEADER: compared.header})


async def _answer(
    services: Services, record: Record, request: Request, asked: Asked, comparer: Comparer, profile: Profile
) -> tuple[Compared, bytes]:
    settings = services.settings
    deadline = record.started + settings.deadline_seconds
    with services.pool.place(record.key or "", address_of(request)) as place:
        photos = await _photos(services, record, request, asked, deadline)

        def work() -> tuple[Compared, bytes]:
            taken = photos()
            with documented():
                compared = comparer.compare(taken.image1, taken.image2, asked.type1)
            if settings.no_face_as == "error3" and not (compared.face1 and compared.face2):
                raise ContractError(ErrorCode.BAD_IMAGE)
            with record.stage("print"):
                return compared, print_comparison(compared, profile)

        return await _timed(record, place, work, deadline)


async def _photos(
    services: Services, record: Record, request: Request, asked: Asked, deadline: float
) -> Callable[[], Photos]:
    """How to get at the photos, to be called in a worker thread: a body is parsed there."""
    settings = services.settings
    if asked.mode is Mode.URL:
        with record.stage("fetch"):
            photos = await _fetch_both(services.fetcher, asked, deadline)
        return lambda: photos
    content_type = request.headers.get("content-type", "")
    with record.stage("body"):
        body = await read_body(request, body_limit(settings.max_image_bytes), settings.body_seconds, deadline)
    return lambda: take_photos(asked.mode, content_type, body, settings.max_image_bytes)


async def _fetch_both(fetcher: PhotoFetcher, asked: Asked, deadline: float) -> Photos:
    """Both photos at once; the first one's error is told first, whichever comes first."""
    from facematch_server.url_mode.fetch import UrlUnavailableError

    if not asked.url1 or not asked.url2:
        raise ContractError(ErrorCode.NO_CONTENT)
    try:
        async with asyncio.timeout(max(deadline - time.monotonic(), 0.0)):
            results = await asyncio.gather(fetcher.fetch(asked.url1), fetcher.fetch(asked.url2), return_exceptions=True)
    except TimeoutError:
        raise ContractError(ErrorCode.URL_UNAVAILABLE) from None
    images = []
    for result in results:
        if isinstance(result, UrlUnavailableError):
            raise ContractError(ErrorCode.URL_UNAVAILABLE)
        if isinstance(result, BaseException):
            raise result
        images.append(result)
    if not all(images):
        raise ContractError(ErrorCode.NO_CONTENT)
    return Photos(*images)


async def _timed(
    record: Record, place: Place, work: Callable[[], tuple[Compared, bytes]], deadline: float
) -> tuple[Compared, bytes]:
    """Run the work; note how long it waited for a thread and what the comparison says of its own stages."""
    queued = time.monotonic()

    def started() -> tuple[Compared, bytes]:
        record.seconds["queue"] = time.monotonic() - queued
        return work()

    compared, body = await place.run(started, deadline)
    record.seconds.update({stage: value for stage, value in compared.timings.items() if stage != "total"})
    return compared, body


for _path in PATHS:
    for _method, _description in (("GET", openapi.GET), ("POST", openapi.POST)):
        router.add_api_route(
            _path,
            face_matching,
            methods=[_method],
            response_class=Response,
            responses=openapi.REPLIES,
            openapi_extra={**_description, **openapi.SECURITY},
            summary="Compare a card or portrait with a portrait",
            operation_id=f"face_matching_{_path.split('/')[2]}_{_method.lower()}",
        )
