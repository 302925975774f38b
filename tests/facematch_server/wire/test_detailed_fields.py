"""The detailed reply, from a result without models: every field, and what its text leaves out."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from facematch_local.calibration import Verdict
from facematch_local.checks import Measure, Role
from facematch_local.codes import WarningCode
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo
from facematch_local.policy import Finding, Limit, Outcome
from facematch_local.result import MatchResult, PhotoResult
from facematch_server.wire.detailed import CompareOut
from facematch_server.wire.reply import compared

CROP = np.full((40, 30, 3), 120, np.uint8)
FACE = Face(np.array([10, 20, 30, 50], np.float32), np.arange(10, dtype=np.float32).reshape(5, 2), 0.75)
CARD = PhotoResult(Photo(np.zeros((60, 80, 3), np.uint8), 0.5, "JPEG"), Role.CARD, (FACE,), CROP, CROP, {})
PORTRAIT = PhotoResult(Photo(np.zeros((50, 70, 3), np.uint8), 1.0, "PNG"), Role.PORTRAIT, (), None, None, {})
RESULT = MatchResult(
    percent=0.0,
    verdict=Verdict.NO_MATCH,
    cosine=None,
    warnings=(WarningCode.NO_FACE_ON_PORTRAIT,),
    findings=(
        Finding(
            2,
            "face_confidence",
            Measure(0.0),
            Limit(WarningCode.NO_FACE_ON_PORTRAIT, 0.5),
            Outcome.WARNING,
        ),
        Finding(
            1,
            "document",
            Measure.not_assessed("no network"),
            Limit(WarningCode.NO_CARD, maximum=0.5),
            Outcome.NOT_ASSESSED,
        ),
    ),
    images=(CARD, PORTRAIT),
    pack="pack 1",
    calibration="curve-1",
    calibrated=False,
    policy="16",
    timings={"decode": 0.12345678, "total": 0.5},
)


def test_a_result_is_described_whole() -> None:
    described = CompareOut.of(RESULT, "request-1")
    content = described.model_dump()
    wire, images = content.pop("wire"), content.pop("images")
    findings, warnings = content.pop("findings"), content.pop("warnings")
    assert content == {
        "request_id": "request-1",
        "percent": 0.0,
        "match": -1,
        "verdict": "no_match",
        "cosine": None,
        "pack": "pack 1",
        "calibration": "curve-1",
        "calibrated": False,
        "policy": "16",
        "timings": {"decode": 0.123457, "total": 0.5},
    }
    code = WarningCode.NO_FACE_ON_PORTRAIT
    assert warnings == [{"code": int(code), "message": code.message}]
    assert [(f["image"], f["name"], f["value"], f["minimum"], f["maximum"], f["outcome"]) for f in findings] == [
        (2, "face_confidence", 0.0, 0.5, None, "warning"),
        (1, "document", None, None, 0.5, "not_assessed"),
    ]
    assert findings[1]["reason"] == "no network"
    assert set(wire) == {"documented", "observed"}
    assert [(i["role"], i["format"], i["width"], i["height"], i["scale"]) for i in images] == [
        ("card", "JPEG", 80, 60, 0.5),
        ("portrait", "PNG", 70, 50, 1.0),
    ]


def test_a_face_and_its_crops() -> None:
    card, portrait = CompareOut.of(RESULT, "").images
    assert [(f.box, f.score) for f in card.faces] == [([10.0, 20.0, 30.0, 50.0], 0.75)]
    assert card.faces[0].landmarks == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    for crop in (card.crop, card.aligned):
        assert base64.b64decode(crop).startswith(b"\xff\xd8")
    assert (portrait.faces, portrait.crop, portrait.aligned) == ([], "", "")


def test_its_text_shows_no_crop_no_landmarks_and_no_reply() -> None:
    described = CompareOut.of(RESULT, "request-1")
    for text in (repr(described), str(described)):
        for name in ("crop", "aligned", "landmarks", "documented", "observed"):
            assert f"{name}=" not in text
        assert "request_id='request-1'" in text


def test_a_description_stays_as_it_is() -> None:
    described = CompareOut.of(RESULT, "")
    with pytest.raises(ValidationError):
        described.percent = 100.0  # type: ignore[misc]


@pytest.mark.parametrize("count", [1, 3])
def test_a_comparison_has_two_photos(count: int) -> None:
    content = CompareOut.of(RESULT, "").model_dump()
    content["images"] = (2 * content["images"])[:count]
    with pytest.raises(ValidationError, match="images"):
        CompareOut.model_validate(content)


def test_the_contracts_reply_has_a_face_only_with_its_crop() -> None:
    both, none = compared(replace(RESULT, images=(CARD, CARD))), compared(replace(RESULT, images=(PORTRAIT, PORTRAIT)))
    assert both.face1 is not None
    assert (both.face1, both.face1.score) == (both.face2, 0.75)
    assert both.face1.jpeg.startswith(b"\xff\xd8")
    assert (none.face1, none.face2) == (None, None)
    uncropped = compared(replace(RESULT, images=(replace(CARD, crop=None), CARD)))
    assert uncropped.face1 is None
    assert uncropped.face2 is not None
