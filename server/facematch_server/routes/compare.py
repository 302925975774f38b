"""`POST /v1/compare`: the same comparison with everything that was measured, in HTTP's own terms."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from facematch_local.checks import Role
from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError, documented
from facematch_server.http.body import body_limit, leave_if_lost, read_body
from facematch_server.http.record import Record, address_of, record_of
from facematch_server.http.replies import MEDIA_TYPE, documented_error
from facematch_server.routes.plain import PlainRoute
from facematch_server.services import Services, services_of
from facematch_server.wire import Mode, Profile, detailed, is_multipart, openapi, parse_type1, take_photos

PATH: Final = "/v1/compare"

router = APIRouter(route_class=PlainRoute)
_PROFILE: Final = Profile.DOCUMENTED

# Here, unlike in the contract, the HTTP status tells the outcome.
STATUS: Final = {
    ErrorCode.NO_CONTENT: 422,
    ErrorCode.BAD_IMAGE: 422,
    ErrorCode.OUT_OF_REQUESTS: 429,
    ErrorCode.BAD_CREDENTIALS: 401,
    ErrorCode.BAD_FORMAT_TYPE: 400,
}


@router.post(
    PATH,
    response_model=detailed.CompareOut,
    responses={**{status: {"model": detailed.ErrorOut} for status in STATUS.values()}, **openapi.FAILURES},
    openapi_extra=openapi.COMPARE,
    operation_id="compare",
    summary="Compare two photos, all measures told",
)
async def compare(request: Request) -> Response:
    """Compare two photos, sent as a multipart form or as base64 in JSON, and tell everything that was measured."""
    services, record = services_of(request), record_of(request)
    record.endpoint = "compare"
    try:
        deadline = record.started + services.settings.deadline_seconds
        address = address_of(request)
        async with services.gatekeeper.admit(request.headers.get("authorization"), address, deadline) as admission:
            record.key = str(admission.key.id)
            type1 = parse_type1(request.scope["query_string"])
            body, invalid_code = await _answer(services, record, request, type1)
            await leave_if_lost(request)
            await admission.commit()
    except ContractError as error:
        record.error_code = str(int(error.code))
        return _error(error)
    record.error_code, record.invalid_code = str(int(ErrorCode.SUCCESS)), invalid_code
    return Response(body, media_type=MEDIA_TYPE)


async def _answer(services: Services, record: Record, request: Request, type1: Role) -> tuple[bytes, str]:
    settings = services.settings
    content_type = request.headers.get("content-type", "")
    with services.pool.place(record.key or "", address_of(request)) as place:
        deadline = record.started + settings.deadline_seconds
        with record.stage("body"):
            body = await read_body(request, body_limit(settings.max_image_bytes), settings.body_seconds, deadline)

        def work() -> tuple[bytes, str]:
            mode = Mode.FILE if is_multipart(content_type, body) else Mode.BASE64
            photos = take_photos(mode, content_type, body, settings.max_image_bytes)
            with documented():
                result = services.matcher.match(photos.image1, photos.image2, type1)
            described = detailed.describe(result, record.request_id)
            return described.model_dump_json().encode(), str(int(result.warning))

        return await place.run(work, deadline)


def _error(error: ContractError) -> Response:
    status = STATUS[error.code]
    response = documented_error(ContractError(error.code, status=status, retry_after=error.retry_after), _PROFILE)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="facematch"'
    return response
