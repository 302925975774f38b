"""A step of a run is a program of the package; the run stops where one fails."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from scripts.training.common.steps import option, reference_of, seal, step


def test_a_step_runs_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights.onnx").write_bytes(b"weights")
    (tmp_path / "pack.toml").write_text('file = "weights.onnx"\nsha256 = ""\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    seal(Path())  # a relative path means the folder of the caller
    digest = hashlib.sha256(b"weights").hexdigest()
    assert (tmp_path / "pack.toml").read_text() == f'file = "weights.onnx"\nsha256 = "{digest}"\n'


def test_a_run_stops_at_a_step_that_fails(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        step("seal_pack", tmp_path / "nowhere")


def test_an_option_without_a_value_is_left_out() -> None:
    assert option("start", None) == ()
    assert option("start", Path("a")) == ("--start", Path("a"))


def test_a_missing_reference_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="has no ONNX file"):
        reference_of(tmp_path)
