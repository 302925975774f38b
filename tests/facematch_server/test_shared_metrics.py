"""The gauges of several workers on one board, and the counters in their files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from facematch_server.shared_metrics import Board, Combine

ROOT = Path(__file__).resolve().parents[2]

WORKER = """
import sys
from pathlib import Path
from facematch_server.metrics import Metrics
from facematch_server.shared_metrics import Board, Combine, SharedMetrics
folder, number, requests = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
metrics = Metrics(SharedMetrics(Board(2), number, folder))
metrics.watch("gauge", "a gauge", lambda: 3.0)
for _ in range(requests):
    metrics.count_outcome("face_matching", "0", "0")
    metrics.observe({"total": 0.2})
sys.stdout.write(metrics.text().decode())
sys.stdout.flush()
if len(sys.argv) > 4:
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def board() -> Board:
    board = Board(3)
    for number in range(3):
        board.begin(number)
        board.put(number, 0, Combine.SUM, 10.0 + number)
        board.put(number, 1, Combine.MOST, float(number))
        board.put(number, 2, Combine.COUNT, 2.0)
    return board


def combined(board: Board) -> list[float]:
    return [board.combined(index, how) for index, how in enumerate(Combine)]


def test_values_of_workers_become_one(board: Board) -> None:
    assert combined(board) == [33.0, 2.0, 6.0]
    board.put(1, 0, Combine.SUM, 0.0)
    assert board.combined(0, Combine.SUM) == 22.0
    assert board.combined(7, Combine.SUM) == 0.0


def test_an_ended_worker_leaves_its_counts_only(board: Board) -> None:
    board.end(2, 1.5)
    assert combined(board) == [21.0, 1.0, 6.0]
    assert len(board.pids) == 3  # two workers and the main process
    board.begin(2)
    board.put(2, 2, Combine.COUNT, 1.0)
    board.end(2, 0.5)
    assert board.combined(2, Combine.COUNT) == 7.0
    assert board.ended_cpu_seconds == 2.0


def test_processes_write_on_one_board(board: Board) -> None:
    pid = os.fork()
    if pid == 0:
        board.put(0, 0, Combine.SUM, 100.0)
        os._exit(0)
    os.waitpid(pid, 0)
    assert board.combined(0, Combine.SUM) == 123.0


def run(folder: Path, *arguments: object) -> str:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", WORKER, str(folder), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "server"), str(ROOT)])},
        capture_output=True,
        text=True,
        check=len(arguments) < 3,
    ).stdout


@pytest.mark.slow
def test_counters_outlive_a_killed_worker_and_its_successor_goes_on(tmp_path: Path) -> None:
    counter = 'facematch_requests_total{endpoint="face_matching",error_code="0",invalid_code="0"}'
    assert f"{counter} 5.0" in run(tmp_path, 0, 5, "kill")
    assert f"{counter} 7.0" in run(tmp_path, 1, 2)
    text = run(tmp_path, 0, 1)
    assert f"{counter} 8.0" in text
    assert 'facematch_stage_seconds_count{stage="total"} 8.0' in text
    assert 'facematch_stage_seconds_bucket{le="0.2",stage="total"} 8.0' in text
    assert "# HELP facematch_requests_total Answered comparisons" in text
    assert "\ngauge 3.0\n" in text
    assert "process_cpu_seconds_total " in text
