"""The times of the checks: every check of each role, and clear errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.checks import CHECKS, Role
from facematch_local.matcher import FaceMatcher
from scripts.check_times import check_times, main


@pytest.fixture(scope="module")
def matcher() -> FaceMatcher:
    return FaceMatcher.open("compact")


@pytest.mark.parametrize("role", list(Role))
def test_every_check_of_the_role_is_timed(matcher: FaceMatcher, astronaut_jpeg: bytes, role: Role) -> None:
    taken = check_times(matcher, astronaut_jpeg, role, rounds=1)
    assert list(taken) == [check.name for check in CHECKS[role]]
    assert all(milliseconds >= 0 for milliseconds in taken.values())
    assert sum(taken.values()) > 0


def test_given_photos_are_named_with_their_sum(
    tmp_path: Path, astronaut_jpeg: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "me.jpg").write_bytes(astronaut_jpeg)
    assert main(["--pack", "compact", "--rounds", "1", str(tmp_path / "me.jpg")]) == 0
    assert capsys.readouterr().out.startswith("me.jpg: ")


def test_a_photo_that_cannot_be_used_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "no.jpg").write_bytes(b"no photo")
    assert main(["--pack", "compact", str(tmp_path / "no.jpg")]) == 2
    assert main(["--pack", "compact", str(tmp_path / "missing.jpg")]) == 2
    assert "missing.jpg" in capsys.readouterr().err
