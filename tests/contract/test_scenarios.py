"""Scenarios over a real socket, with an unmodified client."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

FILE = {"type1": "card", "format_type": "file"}
HEADER = "X-Facematch-Scenario"

ASK = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def scenarios(start: Callable[..., Any]) -> Any:
    return start(scenarios=True)


@pytest.fixture
def ask(scenarios: Any, astronaut_jpeg: bytes) -> ASK:
    """`ask("error-4")`: the reply to a good request with that scenario as its key."""

    def ask(name: str, image2: bytes = astronaut_jpeg, **options: Any) -> requests.Response:
        options = {"params": FILE, "files": {"img1": astronaut_jpeg, "img2": image2}, **options}
        response: requests.Response = scenarios.post(auth=(f"scenario-{name}", "any"), **options)
        return response

    return ask


@pytest.mark.parametrize("code", range(1, 7))
def test_every_error(ask: ASK, envelope: Callable[..., Any], code: int) -> None:
    response = ask(f"error-{code}")
    assert (response.status_code, response.headers[HEADER]) == (200, f"scenario-error-{code}")
    assert envelope(response)["errorCode"] == str(code)


@pytest.mark.parametrize("code", range(1, 13))
def test_every_warning(ask: ASK, envelope: Callable[..., Any], code: int) -> None:
    response = ask(f"warning-{code}")
    data = envelope(response)["data"]
    assert data["invalidCode"] == response.headers["X-Facematch-Warnings"] == str(code)
    assert (data["matching"], data["match"]) == (("0.0", "-1") if code in (4, 5) else ("87.42", "1"))
    assert (data["face1"] == "", data["face2"] == "") == (code == 4, code == 5)


@pytest.mark.parametrize(
    ("percent", "match"), [("0", "-1"), ("64.99", "-1"), ("65", "0"), ("75", "0"), ("75.01", "1"), ("100", "1")]
)
def test_percentages_and_both_profiles(ask: ASK, percent: str, match: str) -> None:
    data = ask(f"matching-{percent}+observed").json()["data"]
    assert (data["matching"], data["match"], data["invalidCode"]) == (str(float(percent)), match, 0)


def test_http_statuses(ask: ASK, envelope: Callable[..., Any]) -> None:
    assert [ask(f"http-{status}").status_code for status in (429, 500, 502, 503, 504)] == [429, 500, 502, 503, 504]
    assert envelope(ask("http-429"))["errorCode"] == "4"
    assert int(ask("http-503").headers["Retry-After"]) >= 1
    page = ask("http-502")
    assert page.headers["content-type"] == "text/html"
    assert page.text.startswith("<html>")


def test_broken_replies(ask: ASK) -> None:
    assert ask("empty-body").content == b""
    half = ask("malformed-json")
    assert half.text.startswith('{"data":{"matching"')
    with pytest.raises(requests.exceptions.JSONDecodeError):
        half.json()
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask("connection-lost")


def test_a_slow_one_runs_into_the_clients_time_limit(ask: ASK) -> None:
    with pytest.raises(requests.Timeout):
        ask("slow-3s", timeout=0.5)
    started = time.monotonic()
    assert ask("slow-0.5s+success").json()["errorCode"] == "0"
    assert time.monotonic() - started >= 0.5


def test_a_request_at_fault_is_still_refused_in_the_contracts_order(ask: ASK) -> None:
    def code(name: str, **options: Any) -> str:
        return str(ask(name, **options).json()["errorCode"])

    assert code("success", image2=b"no photo") == "3"
    assert code("error-1", image2=b"no photo") == "1"
    assert code("error-3", files={"other": b""}) == "1"
    assert code("error-3", params={}) == "6"
    assert code("error-4", params={}) == "4"
    assert code("http-503", params={}) == "6"


def test_what_is_no_scenario_is_a_wrong_key(ask: ASK) -> None:
    response = ask("error-4+matching-80")
    assert response.json()["errorCode"] == "5"
    assert response.headers[HEADER] == "unknown"


def test_they_open_nothing_else_and_real_keys_go_on(scenarios: Any, astronaut_jpeg: bytes) -> None:
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    assert scenarios.post("/v1/compare", files=files, auth=("scenario-success", "any")).status_code == 401
    response = scenarios.post(params=FILE, files=files)
    assert response.json()["data"]["match"] == "1"
    assert HEADER not in response.headers
    assert scenarios.get("/version").json()["scenarios"] is True
    assert any("scenarios are on" in line for line in scenarios.logs)


def test_off_unless_asked_for(live: Any, astronaut_jpeg: bytes) -> None:
    response = live.post(params=FILE, auth=("scenario-success", "any"))
    assert response.json()["errorCode"] == "5"
    assert HEADER not in response.headers
    assert live.get("/version").json()["scenarios"] is False
