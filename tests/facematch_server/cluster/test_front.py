"""Around the application in a replica."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from fastapi import FastAPI
from starlette.testclient import TestClient

from facematch_server.cluster.front import Front
from facematch_server.metrics import Metrics


class Board:
    """A board in this process; fails if asked to."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.broken = False

    async def put(self, replica: str, text: str) -> None:
        if self.broken:
            raise ConnectionError
        self.texts[replica] = text

    async def read(self) -> dict[str, str]:
        return self.texts


def front_of(board: Board) -> Front:
    app = FastAPI()
    app.state.services = SimpleNamespace(metrics=Metrics())

    @app.middleware("http")
    async def with_id(request, call_next):  # type: ignore[no-untyped-def]
        response = await call_next(request)
        response.headers["X-Request-ID"] = "mine"
        response.headers["X-Other"] = "stays"
        return response

    @app.get("/a")
    def a() -> str:
        return "a"

    return Front(app, board, "r1")


def test_the_request_id_is_left_to_the_proxy() -> None:
    with TestClient(front_of(Board())) as client:
        response = client.get("/a")
    assert response.json() == "a"
    assert "X-Request-ID" not in response.headers
    assert response.headers["X-Other"] == "stays"


def test_metrics_of_all_replicas() -> None:
    board = Board()
    other = Metrics()
    other.count_outcome("face_matching", "0", "0")
    board.texts["r2"] = other.text().decode()
    with TestClient(front_of(board)) as client:
        text = client.get("/metrics").text
    assert 'replica="r2"} 1.0' in text
    assert 'replica="r1"' in text


def test_without_the_board_a_replica_gives_its_own() -> None:
    board = Board()
    board.broken = True
    with TestClient(front_of(board)) as client:
        response = client.get("/metrics")
    assert response.status_code == 200
    assert 'replica="r1"' in response.text


def test_metrics_are_put_without_being_asked() -> None:
    board = Board()
    with TestClient(front_of(board)) as client:
        client.get("/a")
        client.portal.call(asyncio.sleep, 0.05)  # type: ignore[union-attr]
        assert "r1" in board.texts
