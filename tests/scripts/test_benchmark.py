"""The benchmark runs and reports what it says it does; the times themselves are not for tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmark.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--rounds", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.slow
def test_floor_match_and_request(pack_path: Path) -> None:
    completed = run("--json", "--pack", str(pack_path))
    assert completed.returncode == 0, completed.stderr
    report = json.loads(completed.stdout)
    assert report["request_in_floors"] == pytest.approx(report["request_ms"] / report["floor_ms"])
    assert report["match_in_floors"] == pytest.approx(report["match_ms"] / report["floor_ms"])
    assert set(report["stages_ms"]) == {"decode", "detect", "embed", "checks"}
    assert min(report["floor_ms"], report["match_ms"], report["request_ms"], *report["stages_ms"].values()) > 0


@pytest.mark.slow
def test_without_a_pack_it_is_one_line() -> None:
    completed = run("--pack", "absent")
    assert completed.returncode == 2
    assert completed.stderr.startswith("benchmark: no model pack 'absent'")
    assert completed.stderr.count("\n") == 1
