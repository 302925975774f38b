"""The benchmark as a command: it runs and reports what it says it does; the times themselves are not for tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmark.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.slow
def test_all_parts_give_rows_curves_and_starts(pack_path: Path) -> None:
    completed = run("--quick", "--rounds", "1", "--seconds", "0", "--json", "--pack", str(pack_path))
    assert completed.returncode == 0, completed.stderr
    report = json.loads(completed.stdout)
    rows = {(one["subject"], one["way"], one["clients"]): one for one in report["figures"]}
    for clients in (1, 8, 32):
        assert rows["facematch serve", "multipart", clients]["count"] >= clients
    assert rows["bare models at 640", "call", 1]["p50_ms"] > 0
    assert rows["insightface FaceAnalysis", "call", 1]["cpu_ms"] > 0
    assert rows["deepface", "call", 0]["absent"]
    assert not any(one["absent"] for one in report["grown"])
    assert min(report["ready_s"], report["rest_mib"], report["compare_s"], *report["stages"].values()) > 0


@pytest.mark.slow
def test_without_a_pack_it_is_one_line() -> None:
    completed = run("--pack", "absent")
    assert completed.returncode == 2
    assert completed.stderr.startswith("benchmark: no model pack 'absent'")
    assert completed.stderr.count("\n") == 1
