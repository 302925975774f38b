"""What the service reports about its pack."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from facematch_local.calibration import GENERIC, Calibration
from facematch_local.providers import Execution, Refusal
from facematch_server.matching.pack_info import log_warnings, pack_labels

OWN = Calibration("made", (0.0, 0.4, 1.0), (0.0, 75.0, 100.0))


def matcher(curve: Calibration, notice: str = "", execution: Execution = Execution()) -> Any:  # noqa: B008
    pack = SimpleNamespace(name="buffalo_x", version="3", notice=notice)
    return SimpleNamespace(
        pack=SimpleNamespace(pack=pack, calibration=curve, execution=execution),
        policy=SimpleNamespace(version="policy-9"),
    )


@pytest.mark.parametrize(("curve", "lines"), [(GENERIC, 1), (OWN, 0)])
def test_an_uncalibrated_pack_is_warned_of(curve: Calibration, lines: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        log_warnings(matcher(curve))
    assert [("buffalo_x is uncalibrated" in record.message) for record in caplog.records] == [True] * lines


@pytest.mark.parametrize(("notice", "lines"), [("the pack 'standard' is not installed", 1), ("", 0)])
def test_a_notice_is_logged_once(notice: str, lines: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        log_warnings(matcher(OWN, notice))
    assert [record.getMessage() for record in caplog.records] == [notice] * lines


def test_a_provider_that_is_not_used_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        log_warnings(matcher(OWN, execution=Execution(refusals=(Refusal("cuda", "it does not start"),))))
    assert [record.getMessage() for record in caplog.records] == [
        "execution provider cuda is not used, but cpu: it does not start"
    ]


def test_labels() -> None:
    assert pack_labels(matcher(OWN)) == {
        "name": "buffalo_x", "version": "3", "calibration": "made", "policy": "policy-9"
    }  # fmt: skip
