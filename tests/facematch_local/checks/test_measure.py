"""A faulty check does not affect the rest of a comparison."""

from __future__ import annotations

import logging
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import WarningCode
from facematch_local.checks import (
    CHECKS,
    Check,
    Examination,
    Measure,
    Role,
    document_outline,
    face_size,
    measure,
    occlusion,
)
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo
from facematch_local.matcher import FaceMatcher
from facematch_local.networks import Networks
from facematch_local.policy import Outcome, load_policy, warnings

Pixels = NDArray[np.uint8]


class SecretiveError(Exception):
    """An exception that quotes the photo in its message."""


def fails(examination: Examination) -> NoReturn:
    raise SecretiveError(f"pixels {examination.photo.pixels[0, 0]} of the photo")


class FaultyNetwork:
    def predict(self, crop: Pixels) -> NoReturn:
        raise SecretiveError(f"pixels {crop[0, 0]} of the photo")


def _ask(monkeypatch: pytest.MonkeyPatch, role: Role, *checks: Check) -> None:
    monkeypatch.setitem(CHECKS, role, checks)


def test_a_check_that_raises_is_not_assessed_and_the_others_are(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, photo: Pixels, astronaut_face: Face
) -> None:
    _ask(monkeypatch, Role.PORTRAIT, Check("crop", fails), Check("inter_eye_distance", face_size.inter_eye_distance))
    measures = measure(Examination(Photo(photo), Role.PORTRAIT, (astronaut_face,)))
    assert measures["crop"] == Measure(None, reason="the check failed: SecretiveError")
    assert measures["inter_eye_distance"].value is not None
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("facematch_local.checks", logging.ERROR)
    message = record.getMessage()
    assert message.startswith("check crop of a portrait failed: SecretiveError at checks/test_measure.py:")
    assert message.endswith(" fails")
    assert "pixels" not in caplog.text
    assert "\n" not in message
    assert record.exc_info is None


def test_the_log_names_the_eight_innermost_places(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, photo: Pixels
) -> None:
    def fails_below(levels: int, examination: Examination) -> Measure:
        return fails_below(levels - 1, examination) if levels else fails(examination)

    _ask(monkeypatch, Role.PORTRAIT, Check("crop", lambda examination: fails_below(20, examination)))
    measure(Examination(Photo(photo), Role.PORTRAIT, ()))
    places = caplog.records[0].getMessage().partition(" at ")[2].split(" < ")
    assert [place.split()[-1] for place in places] == ["fails", *7 * ["fails_below"]]


def test_a_shared_analysis_that_fails_is_reported_for_each_check(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, photo: Pixels, astronaut_face: Face
) -> None:
    kinds, policy = ("sunglasses", "head_covering", "mask"), load_policy()
    _ask(monkeypatch, Role.PORTRAIT, *(Check(kind, getattr(occlusion, kind), "occlusion") for kind in kinds))
    faulty: Any = FaultyNetwork()
    measures = measure(Examination(Photo(photo), Role.PORTRAIT, (astronaut_face,), Networks(occlusion=faulty)))
    assert [taken.value for taken in measures.values()] == 3 * [None]
    assert len(caplog.records) == 3
    assert all("checks/examination.py:" in record.getMessage() for record in caplog.records)
    findings = policy.judge(1, Role.PORTRAIT, measures)
    assert [(f.name, f.outcome) for f in findings] == [(kind, Outcome.NOT_ASSESSED) for kind in kinds]
    assert warnings(findings) == ()
    without = measure(Examination(Photo(photo), Role.PORTRAIT, (astronaut_face,)))
    assert {taken.reason for taken in without.values()} == {"the installation lacks the network for this check"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_result_that_is_not_finite_is_not_assessed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, photo: Pixels, value: float
) -> None:
    _ask(monkeypatch, Role.CARD, Check("document", lambda _: Measure(value, "ln"), "document"))
    (taken,) = measure(Examination(Photo(photo), Role.CARD, ())).values()
    assert taken == Measure(None, "ln", "the check failed: the result is not finite")
    assert len(caplog.records) == 1


def test_a_memory_error_is_raised(monkeypatch: pytest.MonkeyPatch, photo: Pixels) -> None:
    def starved(_: Examination) -> NoReturn:
        raise MemoryError

    _ask(monkeypatch, Role.CARD, Check("blur", starved))
    with pytest.raises(MemoryError):
        measure(Examination(Photo(photo), Role.CARD, ()))


def test_a_match_reports_a_failed_check_and_continues(
    monkeypatch: pytest.MonkeyPatch, matcher: FaceMatcher, astronaut: Pixels
) -> None:
    faulty = [Check(c.name, fails, c.network) if c.name == "text_alteration" else c for c in CHECKS[Role.CARD]]
    _ask(monkeypatch, Role.CARD, *faulty)
    result = matcher.match(astronaut, astronaut)
    assert result.percent == 100.0
    (finding,) = (f for f in result.findings if f.name == "text_alteration")
    assert (finding.outcome, finding.measure.reason) == (Outcome.NOT_ASSESSED, "the check failed: SecretiveError")
    assert WarningCode.TAMPERING not in result.warnings


def test_the_checks_that_need_a_network() -> None:
    learned = {check.name: check.network for checks in CHECKS.values() for check in checks if check.network}
    occluding = dict.fromkeys(("sunglasses", "head_covering", "mask"), "occlusion")
    assert learned == {**occluding, "recapture": "recapture", "document": "document", "photocopy": "photocopy"}


def test_every_check_with_a_network_is_not_assessed_without_it(photo: Pixels, astronaut_face: Face) -> None:
    for role, checks in CHECKS.items():
        measures = measure(Examination(Photo(photo), role, (astronaut_face,)))
        for check in checks:
            lacks = measures[check.name].reason == "the installation lacks the network for this check"
            assert lacks is (check.network is not None), check.name


def test_a_faulty_network_gives_no_outline_and_no_exception(photo: Pixels, astronaut_face: Face) -> None:
    class Faulty:
        def predict(self, pixels: Pixels, face: Face | None) -> NoReturn:
            raise SecretiveError(f"pixels {pixels[0, 0]} of the photo")

    networks = Networks(document=Faulty())  # type: ignore[arg-type]
    assert document_outline(Examination(Photo(photo), Role.CARD, (astronaut_face,), networks)) is None


def test_a_lack_of_memory_is_not_a_missing_outline(photo: Pixels) -> None:
    class Greedy:
        def predict(self, pixels: Pixels, face: Face | None) -> NoReturn:
            raise MemoryError

    with pytest.raises(MemoryError):
        document_outline(Examination(Photo(photo), Role.CARD, (), Networks(document=Greedy())))  # type: ignore[arg-type]


def test_without_the_network_there_is_no_outline(photo: Pixels) -> None:
    assert document_outline(Examination(Photo(photo), Role.CARD, ())) is None
