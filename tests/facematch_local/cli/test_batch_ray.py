"""`facematch batch --engine ray` on real photos."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path, astronaut_jpeg: bytes, group_photo_jpeg: bytes) -> Path:
    """Photos and `pairs.csv` with rows of which some have no result."""
    (tmp_path / "astronaut.jpg").write_bytes(astronaut_jpeg)
    (tmp_path / "group.jpg").write_bytes(group_photo_jpeg)
    (tmp_path / "broken.jpg").write_bytes(astronaut_jpeg[:5000])
    names = ("astronaut.jpg", "group.jpg", "broken.jpg", "absent.jpg")
    rows = [f"{first},{second},{kind}" for first in names for second in names for kind in ("card", "portrait", "both")]
    (tmp_path / "pairs.csv").write_text("\n".join(("path1,path2,type1", *rows)) + "\n")
    return tmp_path


def test_without_ray_the_command_names_the_extra(
    facematch: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    result = facematch("batch", folder / "pairs.csv", "-o", folder / "out.csv", "--engine", "ray", "--pack", "compact")
    assert result.code == 2, result
    assert "pip install 'facematch-local[ray]'" in result.err
    assert not (folder / "out.csv.parts").exists()


def command(folder: Path, out: str, *options: str) -> list[str]:
    paths = [str(folder / "pairs.csv"), "-o", str(folder / out)]
    return [sys.executable, "-m", "facematch_server", "batch", *paths, "--pack", "compact", "--jobs", "2", *options]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("carry", [(), ("--carry-photos",)])
def test_the_rows_of_the_local_engine(folder: Path, carry: tuple[str, ...]) -> None:
    pytest.importorskip("ray")
    ran = subprocess.run(  # noqa: S603
        command(folder, "ray.csv", "--engine", "ray", "--html", str(folder / "report.html"), *carry),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1, ran.stderr
    assert "48 rows in " in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
    local = subprocess.run(command(folder, "local.csv"), cwd=ROOT, capture_output=True)  # noqa: S603
    assert local.returncode == 1
    for end in (".csv", ".csv.run.json"):
        assert (folder / f"ray{end}").read_bytes() == (folder / f"local{end}").read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_fail_fast_and_ctrl_c(folder: Path) -> None:
    pytest.importorskip("ray")
    ran = subprocess.run(  # noqa: S603
        command(folder, "ray.csv", "--engine", "ray", "--fail-fast"), cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 1, ran.stderr
    assert "stopped: row " in ran.stderr
    assert not (folder / "ray.csv").exists()
    # To the whole group of processes, as a terminal does.
    process = subprocess.Popen(  # noqa: S603
        command(folder, "c.csv", "--engine", "ray"), cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True
    )
    while not (folder / "c.csv.parts").exists():
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert b"interrupted; run the same command with --resume to go on" in said
    assert b"Traceback" not in said
