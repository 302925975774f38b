"""An uncalibrated pack is told in the log when the service starts."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from facematch_server.services import warn_if_uncalibrated

from facematch_local.similarity import GENERIC, Calibration


@pytest.mark.parametrize(
    ("curve", "lines"), [(GENERIC, 1), (Calibration("made", (0.0, 0.4, 1.0), (0.0, 75.0, 100.0)), 0)]
)
def test_uncalibrated_packs_are_told(curve: Calibration, lines: int, caplog: pytest.LogCaptureFixture) -> None:
    pack = SimpleNamespace(pack=SimpleNamespace(name="buffalo_x"), calibration=curve)
    with caplog.at_level(logging.WARNING):
        warn_if_uncalibrated(SimpleNamespace(pack=pack))  # type: ignore[arg-type]
    assert [("buffalo_x is uncalibrated" in record.message) for record in caplog.records] == [True] * lines
