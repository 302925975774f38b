"""API keys that name a scenario."""

from __future__ import annotations

from typing import Any

import pytest

from facematch_local.codes import ErrorCode, WarningCode
from facematch_server.scenarios.key import Breakage, Scenario, parse_scenario
from facematch_server.wire.profile import Profile


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("success", {"percent": 87.42}),
        ("error-6", {"error": ErrorCode.BAD_FORMAT_TYPE}),
        ("warning-12", {"warnings": (WarningCode.FACE_TOO_CLOSE_TO_MARGIN,)}),
        ("warning-11+warning-9", {"warnings": (WarningCode.MASK, WarningCode.FACE_TOO_SMALL)}),
        ("matching-74.99+observed", {"percent": 74.99, "profile": Profile.OBSERVED}),
        ("matching-100", {"percent": 100.0}),
        ("slow-0.5s+error-4", {"seconds": 0.5, "error": ErrorCode.OUT_OF_REQUESTS}),
        ("http-503", {"status": 503}),
        ("empty-body", {"breakage": Breakage.EMPTY_BODY}),
    ],
)
def test_scenarios(key: str, expected: dict[str, Any]) -> None:
    assert parse_scenario("scenario-" + key) == Scenario("scenario-" + key, **expected)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "success",
        "scenario-",
        "scenario-error-0",
        "scenario-error-7",
        "scenario-warning-13",
        "scenario-matching-100.01",
        "scenario-matching-7.123",
        "scenario-matching-nan",
        "scenario-matching-٧",
        "scenario-slow-121s",
        "scenario-http-404",
        "scenario-success+",
        "scenario-error-4+matching-80",
        "scenario-http-503+error-1",
    ],
)
def test_what_is_none(key: str) -> None:
    assert parse_scenario(key) is None
