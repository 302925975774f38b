"""`GET|POST /api/v2/ekyc/face_matching` and its v3 alias: the contract."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError
from facematch_server.http.body import leave_if_lost
from facematch_server.http.replies import documented_error, reply
from facematch_server.http.request_record import address_of, record_of
from facematch_server.routes.photos import with_photos
from facematch_server.routes.plain import PlainRoute
from facematch_server.services import services_of
from facematch_server.wire import openapi
from facematch_server.wire.photos import PhotoPair
from facematch_server.wire.profile import NoFaceAs
from facematch_server.wire.query import parse_query
from facematch_server.wire.reply import WARNINGS_HEADER, Compared, print_comparison

PATHS = ("/api/v2/ekyc/face_matching", "/api/v3/ekyc/face_matching")

router = APIRouter(route_class=PlainRoute)


async def face_matching(request: Request) -> Response:
    """Compare two photos. `/api/v3/ekyc/face_matching` is an alias: the same requests, the same replies."""
    services, record, address = services_of(request), record_of(request), address_of(request)
    record.endpoint = "face_matching"
    profile = services.settings.wire_profile
    deadline = record.started + services.settings.deadline_seconds
    try:
        # The order of the steps is the contract's order of errors: 5, 4, 6, 1, 2, 3.
        async with services.gatekeeper.admit(request.headers.get("authorization"), address, deadline) as admission:
            record.admitted(admission.key.log_name)
            profile = admission.key.profile or profile
            query = parse_query(request.method, request.scope["query_string"])
            comparer = services.comparer_for(admission.key)

            def work(photos: PhotoPair) -> tuple[Compared, bytes]:
                compared = comparer.compare(photos.image1, photos.image2, query.type1)
                if services.settings.no_face_as is NoFaceAs.ERROR3 and not (compared.face1 and compared.face2):
                    raise ContractError(ErrorCode.BAD_IMAGE)
                with record.stage("print"):
                    return compared, print_comparison(compared, profile)

            compared, body = await with_photos(services, record, request, query, work)
            record.add_seconds(compared.timings)
            await leave_if_lost(request)
            with record.stage("commit"):
                await admission.commit()
    except ContractError as error:
        record.error_code = str(int(error.code))
        return documented_error(error, profile)
    record.error_code, record.invalid_code = str(int(ErrorCode.SUCCESS)), str(int(compared.warning))
    return reply(body, {WARNINGS_HEADER: compared.header})


# The description has one entry for both paths.
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
            include_in_schema=_path == PATHS[0],
        )
