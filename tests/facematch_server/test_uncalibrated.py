"""What an operator should know of the pack is told when the service starts, and by `/version`."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from facematch_local.calibration import GENERIC, Calibration
from facematch_server.services import warn_if_uncalibrated, warn_of_notice


@pytest.mark.parametrize(
    ("curve", "lines"), [(GENERIC, 1), (Calibration("made", (0.0, 0.4, 1.0), (0.0, 75.0, 100.0)), 0)]
)
def test_uncalibrated_packs_are_told(curve: Calibration, lines: int, caplog: pytest.LogCaptureFixture) -> None:
    pack = SimpleNamespace(pack=SimpleNamespace(name="buffalo_x"), calibration=curve)
    with caplog.at_level(logging.WARNING):
        warn_if_uncalibrated(SimpleNamespace(pack=pack))  # type: ignore[arg-type]
    assert [("buffalo_x is uncalibrated" in record.message) for record in caplog.records] == [True] * lines


@pytest.mark.parametrize(("notice", "lines"), [("the pack 'standard' is not installed", 1), ("", 0)])
def test_a_notice_is_told_once(notice: str, lines: int, caplog: pytest.LogCaptureFixture) -> None:
    pack = SimpleNamespace(pack=SimpleNamespace(name="compact", notice=notice))
    with caplog.at_level(logging.WARNING):
        warn_of_notice(SimpleNamespace(pack=pack))  # type: ignore[arg-type]
    assert [record.getMessage() for record in caplog.records] == [notice] * lines
