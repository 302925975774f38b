"""The comparison of execution providers runs and counts differences; the times themselves are not for tests."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from facematch_local.matcher import FaceMatcher
from scripts.provider_comparison import Parity, parity, read_pairs

SCRIPT = Path(__file__).parents[2] / "scripts" / "provider_comparison.py"


class Shifted:
    """A matcher with all percentages changed."""

    def __init__(self, matcher: FaceMatcher, by: float) -> None:
        self._matcher, self._by = matcher, by

    def match(self, *arguments: Any) -> Any:
        result = self._matcher.match(*arguments)
        return replace(result, percent=result.percent + self._by)


@pytest.fixture
def pairs(tmp_path: Path, astronaut_jpeg: bytes, group_photo_jpeg: bytes) -> Path:
    (tmp_path / "a.jpg").write_bytes(astronaut_jpeg)
    (tmp_path / "g.jpg").write_bytes(group_photo_jpeg)
    (tmp_path / "pairs.csv").write_text("path1,path2,same\na.jpg,a.jpg,1\na.jpg,g.jpg,0\n")
    return tmp_path / "pairs.csv"


@pytest.mark.slow
def test_differences_are_counted(matcher: FaceMatcher, pairs: Path) -> None:
    chosen = read_pairs(pairs, limit=9, seed=0)
    assert parity(matcher, matcher, chosen, "portrait") == Parity(2, 0.0, 0, 0, 0)
    shifted: Any = Shifted(matcher, 0.6)
    found = parity(matcher, shifted, chosen, "portrait")
    assert found.largest == pytest.approx(0.6)
    assert (found.pairs, found.moved, found.flips, found.warnings) == (2, 2, 0, 0)
    assert len(read_pairs(pairs, limit=1, seed=0)) == 1


@pytest.mark.slow
def test_the_report(pack_path: Path, pairs: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, str(SCRIPT), "cpu", "--pack", str(pack_path), "--rounds", "1", "--starts", "1"]
    subprocess.run([*command, "--pairs", str(pairs), "--json", str(report)], check=True, timeout=100)  # noqa: S603
    figures = json.loads(report.read_text())
    assert figures["parity"]["pairs"] == 2
    assert figures["parity"]["largest"] == 0.0
    assert min(cost["cpu"] for cost in figures["costs"].values()) > 0
    assert figures["start cpu"]["megabytes"] > 100


@pytest.mark.slow
def test_an_absent_provider_is_one_line(pack_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "nonsense", "--pack", str(pack_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)  # noqa: S603
    assert done.returncode == 1
    assert done.stderr.startswith("provider_comparison: unknown execution provider 'nonsense'")
    assert done.stderr.count("\n") == 1
