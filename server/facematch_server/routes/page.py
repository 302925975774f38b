"""`/`: the page that tries the service. All its files are in `static/`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from facematch_local import __version__
from facematch_server.matching.pack_info import pack_labels
from facematch_server.routes.plain import PlainRoute
from facematch_server.services import Services, services_of
from facematch_server.store import UnavailableError

STATIC: Final = Path(__file__).parent.parent / "static"

# Scripts and styles from this service only; pictures also from memory: chosen photos, and crops of the reply.
_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A browser asks whether a file is still the same: after an upgrade, the page and its scripts must fit together.
_CACHING: Final = {"Cache-Control": "no-cache"}
_HEADERS: Final = {"Content-Security-Policy": _CSP, "Referrer-Policy": "no-referrer", **_CACHING}


class _PageFiles(StaticFiles):
    """The files of the page."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, or 304 if the browser has it."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(_CACHING)
        return response


router = APIRouter(route_class=PlainRoute)
router.routes.append(Mount("/static", _PageFiles(directory=STATIC), name="static"))


@router.get("/", include_in_schema=False)
async def page(_: Request) -> Response:
    """The page."""
    return FileResponse(STATIC / "index.html", headers=_HEADERS)


@router.get("/version", include_in_schema=False)
async def version(request: Request) -> Response:
    """Facts that the page shows: the version, the pack and its figures, and how to begin."""
    services = services_of(request)
    labels = pack_labels(services.matcher)
    loaded = services.matcher.pack
    return JSONResponse(
        {
            "version": __version__,
            "scenarios": services.settings.scenarios,
            "pack": labels["name"],
            "pack_version": labels["version"],
            "calibration": labels["calibration"],
            "calibrated": loaded.calibration.calibrated,
            "notice": loaded.pack.notice,
            "policy": labels["policy"],
            "expectations": None if loaded.expectations is None else loaded.expectations.model_dump(),
            "first_use": await _is_first_use(services),
            # With an internal port, the page is there and the contract's endpoint is on the other one.
            "api_port": None if services.settings.internal_port is None else services.settings.port,
        }
    )


async def _is_first_use(services: Services) -> bool:
    """Whether the page should say where the first key is: no key was used yet, and only this machine can ask."""
    if not services.settings.listens_on_loopback_only:
        return False
    until = time.monotonic() + services.settings.database_seconds
    try:
        return not await anyio.to_thread.run_sync(services.store.is_used, until)
    except UnavailableError:
        return False
