"""A further worker takes less memory than a further service: models and libraries are shared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="shared memory is measured on Linux"),
]


def measured(pack: Path, *options: str) -> list[list[str]]:
    """The lines of the script's table."""
    command = [sys.executable, "-m", "scripts.worker_memory", "--pack", str(pack), "--requests", "3", *options]
    printed = subprocess.run(  # noqa: S603
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "server")])},
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    ).stdout
    return [line.split() for line in printed.splitlines()[1:]]


def test_a_further_worker_costs_less_than_a_further_service(pack_path: Path) -> None:
    workers = measured(pack_path, "--workers", "2", "3")
    services = measured(pack_path, "--workers", "1", "2", "--separate")
    assert [line[0] for line in workers] == ["2", "3"]
    further_worker, further_service = float(workers[1][3]), float(services[1][3])
    assert 0 < further_worker < 0.8 * further_service
