"""The service on PostgreSQL: a crash of the server is 503 in the form of the contract, and passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from facematch_server.store import KeySettings, upgrade

pytestmark = pytest.mark.slow
FILE = {"format_type": "file"}


@pytest.fixture
def service(start: Callable[..., Any], postgres: Any) -> Iterator[Any]:
    """A service with its keys on PostgreSQL."""
    with postgres.new_database() as url:
        upgrade(url)
        yield start(database_url=url, database_seconds=1.0)


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_crash_of_the_server_is_503_and_passes(
    service: Any, postgres: Any, envelope: Callable[..., Any], astronaut_jpeg: bytes
) -> None:
    new = service.store.create_key(KeySettings(name="counted", quota=3))
    auth = (new.api_key, new.api_secret)

    def post() -> Any:
        return service.post(params=FILE, files={"img1": astronaut_jpeg, "img2": astronaut_jpeg}, auth=auth)

    assert envelope(post())["errorCode"] == "0"
    postgres.stop()
    try:
        begun = time.monotonic()
        response = post()
        assert time.monotonic() - begun < 10
        assert (response.status_code, envelope(response)["errorCode"]) == (503, "503")
        assert int(response.headers["Retry-After"]) >= 1
        until(lambda: service.get("/readyz").status_code == 503)
        assert service.get("/readyz").json()["reason"] == "the database server cannot be reached"
        assert service.get("/healthz").status_code == 200
    finally:
        postgres.start()
    until(lambda: service.get("/readyz").status_code == 200)
    assert [envelope(post())["errorCode"] for _ in range(3)] == ["0", "0", "4"]
    usage = service.store.usage(new.api_key)
    assert (usage.total, usage.reserved) == (3, 0)


def test_a_change_of_a_key_holds_for_the_next_request(
    service: Any, envelope: Callable[..., Any], astronaut_jpeg: bytes
) -> None:
    """Although the service remembers the login of the request before."""
    new = service.store.create_key(KeySettings(name="counted", quota=10))

    def code(secret: str = new.api_secret) -> str:
        files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
        answer = envelope(service.post(params=FILE, files=files, auth=(new.api_key, secret)))
        return str(answer["errorCode"])

    assert [code(), code()] == ["0", "0"]
    service.store.disable_key(new.api_key)
    assert code() == "5"
    service.store.enable_key(new.api_key)
    assert [code(), code()] == ["0", "0"]
    rotated = service.store.rotate_key(new.api_key)
    assert [code(), code(rotated.api_secret)] == ["5", "0"]
    service.store.set_quota(new.api_key, 5)
    assert code(rotated.api_secret) == "4"
