"""Printed replies."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facematch_local.codes import ErrorCode, WarningCode
from facematch_server.wire.profile import Profile
from facematch_server.wire.reply import Compared, FoundFace, print_comparison, print_error, print_failure

FACE = FoundFace(b"\xff\xd8jpeg" * 100, 0.999796)
DOCUMENTED_ORDER = [
    "matching",
    "face1",
    "face2",
    "face1_score",
    "face2_score",
    "invalidCode",
    "invalidMessage",
    "match",
]


def printed(compared: Compared, profile: Profile = Profile.DOCUMENTED) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(print_comparison(compared, profile))
    return content


def test_documented_profile() -> None:
    content = printed(Compared(87.42, FACE, FoundFace(b"two", 0.5), (WarningCode.SUNGLASSES, WarningCode.HAT)))
    assert list(content) == ["data", "errorCode", "errorMessage"]
    assert list(content["data"]) == DOCUMENTED_ORDER
    assert content == {
        "data": {
            "matching": "87.42",
            "face1": base64.b64encode(FACE.jpeg).decode(),
            "face2": "dHdv",
            "face1_score": "0.999796",
            "face2_score": "0.5",
            "invalidCode": "7",
            "invalidMessage": "Wearing sunglasses",
            "match": "1",
        },
        "errorCode": "0",
        "errorMessage": "Success",
    }


def test_observed_profile() -> None:
    content = printed(Compared(87.42, FACE, FACE), Profile.OBSERVED)
    assert list(content) == sorted(content)
    assert list(content["data"]) == sorted(DOCUMENTED_ORDER)
    assert content["data"]["invalidCode"] == 0
    assert isinstance(content["data"]["invalidCode"], int)
    others = {name: value for name, value in content["data"].items() if name != "invalidCode"}
    assert all(isinstance(value, str) for value in others.values())


@pytest.mark.parametrize(
    ("percent", "matching", "match"),
    [
        (100.0, "100.0", "1"),
        (75.01, "75.01", "1"),
        (75.0, "75.0", "0"),
        (75.004, "75.0", "0"),
        (75.006, "75.01", "1"),
        (65.0, "65.0", "0"),
        (64.996, "65.0", "0"),
        (64.99, "64.99", "-1"),
        (0.01, "0.01", "-1"),
        (0.0, "0.0", "-1"),
    ],
)
def test_the_verdict_is_that_of_the_printed_number(percent: float, matching: str, match: str) -> None:
    data = printed(Compared(percent, FACE, FACE))["data"]
    assert (data["matching"], data["match"]) == (matching, match)


@given(st.floats(0, 100))
def test_printed_number_and_verdict_never_disagree(percent: float) -> None:
    data = printed(Compared(percent, FACE, FACE))["data"]
    number = float(data["matching"])
    assert data["match"] == ("1" if number > 75 else "0" if number >= 65 else "-1")
    assert "." in data["matching"]
    assert "e" not in data["matching"]


@pytest.mark.parametrize("faces", [(None, FACE), (FACE, None), (None, None)])
def test_without_two_faces_it_never_fails_open(faces: tuple[FoundFace | None, FoundFace | None]) -> None:
    data = printed(Compared(99.9, *faces, (WarningCode.NO_FACE_ON_CARD,)))["data"]
    assert (data["matching"], data["match"]) == ("0.0", "-1")
    for face, crop, score in zip(faces, ("face1", "face2"), ("face1_score", "face2_score"), strict=True):
        assert bool(data[crop]) == bool(data[score]) == (face is not None)


@pytest.mark.parametrize("percent", [float("nan"), float("inf"), -0.1, 100.1])
def test_a_percent_that_is_none_is_not_printed(percent: float) -> None:
    with pytest.raises(ValueError, match="percent"):
        Compared(percent, FACE, FACE)


@pytest.mark.parametrize(
    ("score", "text"), [(1.0, "1.0"), (0.0, "0.0"), (0.9997961, "0.999796"), (1e-9, "0.0"), (0.1, "0.1")]
)
def test_scores_have_one_to_six_decimals(score: float, text: str) -> None:
    assert printed(Compared(1, FoundFace(b"x", score), FACE))["data"]["face1_score"] == text


def test_all_warnings_go_into_the_header_and_the_lowest_into_the_body() -> None:
    compared = Compared(80, FACE, FACE, (WarningCode.PHOTOCOPY, WarningCode.FACE_TOO_SMALL))
    assert compared.header == "2,11"
    assert printed(compared)["data"]["invalidCode"] == "2"
    assert Compared(80, FACE, FACE).header == "0"


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("code", list(ErrorCode)[1:])
def test_errors_carry_no_data(code: ErrorCode, profile: Profile) -> None:
    content = json.loads(print_error(code, profile))
    assert list(content.items()) == [
        ("data", None),
        ("errorCode", str(int(code))),
        ("errorMessage", code.message),
    ]


def test_success_is_no_error() -> None:
    with pytest.raises(ValueError, match="SUCCESS"):
        print_error(ErrorCode.SUCCESS, Profile.DOCUMENTED)


def test_a_failure_has_the_same_envelope() -> None:
    assert json.loads(print_failure(503, "busy")) == {"data": None, "errorCode": "503", "errorMessage": "busy"}
