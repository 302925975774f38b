"""Faults of the service itself: a 5xx with the same envelope, without internal details."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from facematch_server.store import KeySettings

FILE = {"format_type": "file"}
SECRET_IN_A_MESSAGE = "photo of Mr Nguyen"


class BrokenMatcher:
    """A matcher with a bug."""

    def __init__(self, matcher: Any) -> None:
        self.pack, self.policy = matcher.pack, matcher.policy

    def match(self, image1: bytes, image2: bytes, type1: Any = "card") -> Any:
        raise RuntimeError(SECRET_IN_A_MESSAGE)


@pytest.fixture(scope="module")
def broken(start: Callable[..., Any], matcher: Any) -> Any:
    return start(matcher=BrokenMatcher(matcher))


@pytest.mark.parametrize("path", ["/api/v2/ekyc/face_matching", "/v1/compare"])
def test_a_bug_is_a_500_logged_by_place_only(
    broken: Any, envelope: Callable[..., Any], astronaut_jpeg: bytes, path: str
) -> None:
    key = broken.store.create_key(KeySettings(name="unlucky", quota=5))
    auth = (key.api_key, key.api_secret)
    headers = {"Origin": "http://page.example"}
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    response = broken.post(path, params=FILE, files=files, auth=auth, headers=headers)
    assert response.status_code == 500
    assert envelope(response) == {"data": None, "errorCode": "500", "errorMessage": "Internal server error"}
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    usage = broken.store.usage(key.api_key)
    assert (usage.total, usage.reserved) == (0, 0)
    lines = [json.loads(line) for line in broken.logs]
    (fault,) = [
        line for line in lines if line["message"] == "fault" and line["request_id"] == response.headers["X-Request-ID"]
    ]
    assert fault["exception"] == "RuntimeError"
    assert fault["at"][-1].endswith(" match")
    assert SECRET_IN_A_MESSAGE not in "".join(broken.logs)
    assert "Traceback" not in "".join(broken.logs)


def test_a_check_that_fails_costs_no_answer(
    start: Callable[..., Any], envelope: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, astronaut_jpeg: bytes
) -> None:
    from facematch_local.checks import CHECKS, Check, Role

    live = start()  # a new service: log lines go to the service that was started last

    def fails(_: Any) -> Any:
        raise ZeroDivisionError(SECRET_IN_A_MESSAGE)

    checks = [Check(c.name, fails, c.network) if c.name == "document" else c for c in CHECKS[Role.CARD]]
    monkeypatch.setitem(CHECKS, Role.CARD, tuple(checks))
    before = len(live.logs)
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    response = live.post("/api/v2/ekyc/face_matching", params=FILE, files=files)
    assert response.status_code == 200
    assert envelope(response)["errorCode"] == "0"
    response = live.post("/v1/compare", files=files)
    (finding,) = (each for each in response.json()["findings"] if each["name"] == "document")
    assert (finding["outcome"], finding["value"]) == ("not_assessed", None)
    assert finding["reason"] == "the check failed: ZeroDivisionError"
    failed = [line for line in live.logs[before:] if "check document of a card failed" in line]
    assert len(failed) == 2
    assert SECRET_IN_A_MESSAGE not in "".join(live.logs[before:])


def test_a_database_that_is_gone(
    start: Callable[..., Any], envelope: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from facematch_server.store import UnavailableError

    live = start()

    def fail(*_: Any, **__: Any) -> None:
        raise UnavailableError("the database cannot be reached")

    for name in ("look_up", "ping"):
        monkeypatch.setattr(live.store, name, fail)
    assert live.get("/readyz").status_code == 503
    assert live.get("/healthz").status_code == 200
    response = live.post(params=FILE)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    assert envelope(response)["errorCode"] == "503"


def test_a_commit_that_comes_too_late_is_not_given_away(
    start: Callable[..., Any], envelope: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, astronaut_jpeg: bytes
) -> None:
    live = start()
    monkeypatch.setattr(live.store, "commit", lambda *_: False)
    response = live.post(params=FILE, files={"img1": astronaut_jpeg, "img2": astronaut_jpeg})
    assert envelope(response)["errorCode"] == "4"
