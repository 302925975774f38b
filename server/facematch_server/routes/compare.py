"""`POST /v1/compare`: the same comparison with all measures; the HTTP status reports the outcome."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from facematch_local.codes import ErrorCode
from facematch_local.result import MatchResult
from facematch_server.errors import ContractError
from facematch_server.http.body import leave_if_lost
from facematch_server.http.replies import MEDIA_TYPE, retry_header
from facematch_server.http.request_record import address_of, record_of
from facematch_server.routes.photos import with_photos
from facematch_server.routes.plain import PlainRoute
from facematch_server.services import services_of
from facematch_server.wire import openapi
from facematch_server.wire.detailed import CompareOut, ErrorOut
from facematch_server.wire.photos import PhotoPair
from facematch_server.wire.query import Query, parse_type1

PATH: Final = "/v1/compare"

router = APIRouter(route_class=PlainRoute)

# The contract replies 200 to all of these; here the HTTP status reports the outcome.
STATUS: Final = {
    ErrorCode.NO_CONTENT: 422,
    ErrorCode.BAD_IMAGE: 422,
    ErrorCode.OUT_OF_REQUESTS: 429,
    ErrorCode.BAD_CREDENTIALS: 401,
    ErrorCode.BAD_FORMAT_TYPE: 400,
}


@router.post(
    PATH,
    response_model=CompareOut,
    responses={**{status: {"model": ErrorOut} for status in STATUS.values()}, **openapi.FAILURES},
    openapi_extra=openapi.COMPARE,
    operation_id="compare",
    summary="Compare two photos and report all measures",
)
async def compare(request: Request) -> Response:
    """Compare two photos, sent as a multipart form or as base64 in JSON, and report every measure."""
    services, record, address = services_of(request), record_of(request), address_of(request)
    record.endpoint = "compare"
    deadline = record.started + services.settings.deadline_seconds
    try:
        async with services.gatekeeper.admit(request.headers.get("authorization"), address, deadline) as admission:
            record.admitted(admission.key.log_name)
            query = Query(None, parse_type1(request.scope["query_string"]))

            def work(photos: PhotoPair) -> tuple[MatchResult, bytes]:
                result = services.matcher.match(photos.image1, photos.image2, query.type1)
                with record.stage("print"):
                    return result, CompareOut.of(result, record.request_id).model_dump_json().encode()

            result, body = await with_photos(services, record, request, query, work)
            record.add_seconds(result.timings)
            await leave_if_lost(request)
            with record.stage("commit"):
                await admission.commit()
    except ContractError as error:
        record.error_code = str(int(error.code))
        return _error(error)
    record.error_code, record.invalid_code = str(int(ErrorCode.SUCCESS)), str(int(result.warning))
    return Response(body, media_type=MEDIA_TYPE)


def _error(error: ContractError) -> Response:
    status, code = STATUS[error.code], str(int(error.code))
    content = ErrorOut(errorCode=code, errorMessage=error.code.message, image=error.image, reason=error.reason)
    response = Response(content.model_dump_json(), status, retry_header(error.retry_after), MEDIA_TYPE)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="facematch"'
    return response
