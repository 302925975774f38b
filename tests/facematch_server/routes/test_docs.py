"""The API description: rendered once, for all requests."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from facematch_server.routes.docs import OPENAPI_PATH, new_router


def test_the_description_is_rendered_once() -> None:
    described: list[str] = []
    app = FastAPI(openapi_url=None)

    def describe() -> dict[str, Any]:
        described.append("again")
        return app.openapi()

    app.include_router(new_router(describe))
    client = TestClient(app)
    assert client.get(OPENAPI_PATH).json() == client.get(OPENAPI_PATH).json() == app.openapi()
    assert client.get("/docs").headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert client.get("/docs").text.startswith("<!")
    assert described == ["again"]
