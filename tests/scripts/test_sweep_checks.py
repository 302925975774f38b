"""The sweep tells every check that raises, with the file, and counts what was assessed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.checks import CHECKS, Check, Measure, Role
from facematch_local.packs import find_pack, load_pack

SCRIPT = Path(__file__).parents[2] / "scripts" / "sweep_checks.py"


@pytest.fixture(scope="module")
def sweep_checks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sweep_checks", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sweep_checks"] = module  # where its dataclasses look for their annotations
    spec.loader.exec_module(module)
    return module


class InProcess:
    """A pool of processes that a test can patch."""

    def __init__(self, _: int) -> None: ...
    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *_: object) -> None: ...
    def map(self, work: Any, files: Any, chunksize: int) -> Any:
        return map(work, files)


@pytest.fixture
def run(sweep_checks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """`run(folder, ...)`: the script's exit code, with all work in this process."""

    def run(*arguments: object) -> int:
        monkeypatch.setattr(sweep_checks, "ProcessPoolExecutor", InProcess)
        monkeypatch.setattr(sys, "argv", ["sweep_checks.py", *map(str, arguments)])
        return int(sweep_checks.main())

    return run


@pytest.mark.slow
def test_it_runs_as_a_script_with_processes(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(astronaut_jpeg)
    command = [sys.executable, str(SCRIPT), str(tmp_path), "--jobs", "2"]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert completed.returncode == 0, completed.stderr
    assert "3 files, 0 not decodable, 3 photos examined" in completed.stdout


def test_photos_of_a_folder_are_counted(
    run: Callable[..., int], tmp_path: Path, astronaut_jpeg: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "person.jpg").write_bytes(astronaut_jpeg)
    (tmp_path / "notes.txt").write_text("no photo", "utf-8")
    assert run(tmp_path) == 0
    printed = capsys.readouterr().out
    assert "2 files, 1 not decodable, 1 photos examined" in printed
    assert printed.rstrip().endswith("\n0 raised")
    assert printed.count("1 assessed") + printed.count("1 not assessed") == sum(
        len(checks) for checks in CHECKS.values()
    )


def test_what_raises_warns_or_is_no_finite_number_is_told_and_the_rest_goes_on(
    sweep_checks: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path, astronaut_jpeg: bytes
) -> None:
    zeros: NDArray[np.float64] = np.zeros(2)
    faulty = (
        Check("divides", lambda _: Measure(float((1 / zeros).min()))),
        Check("misses", lambda _: Measure(zeros.tolist().index(1.0))),
        Check("overflows", lambda _: Measure(float("inf"))),
        Check("declines", lambda _: Measure.not_assessed("too dark")),
        Check("works", lambda _: Measure(1.0)),
    )
    for role in Role:
        monkeypatch.setitem(CHECKS, role, faulty if role is Role.CARD else ())
    path = tmp_path / "person.jpg"
    path.write_bytes(astronaut_jpeg)
    seen = sweep_checks.sweep(load_pack(find_pack("compact")), path)
    assert [raised.work for raised in seen.raised] == ["divides of a card", "misses of a card", "overflows of a card"]
    assert [raised.path for raised in seen.raised] == 3 * [path]
    for raised, name in zip(seen.raised, ("RuntimeWarning", "ValueError", "NoFiniteNumberError"), strict=True):
        assert name in raised.traceback
    assert dict(seen.left) == {("card", "declines", "too dark"): 1}
    assert dict(seen.assessed) == {("card", "works"): 1}
    sweep_checks._report(seen, "compact")
    printed = capsys.readouterr().out
    assert f"RAISED: misses of a card, {path}" in printed
    assert "3 raised" in printed


def test_the_exit_code_tells_whether_anything_raised(
    run: Callable[..., int], sweep_checks: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    raised = [sweep_checks.Raised(tmp_path / "a", "blur of a card", "Traceback")]
    (tmp_path / "a").write_bytes(b"")
    for found, code in (([], 0), (raised, 1)):
        monkeypatch.setattr(sweep_checks, "_sweep", lambda *_, found=found: sweep_checks.Sweep(1, 0, 0, raised=found))
        assert run(tmp_path) == code


@pytest.mark.parametrize("arguments", [("--pack", "absent"), ()])
def test_without_a_pack_or_files_it_is_one_line(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(tmp_path, *arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("sweep_checks: no ")
    assert printed.err.count("\n") == 1
    assert printed.out == ""
