"""ONNX Runtime reports nothing: it keeps no device number and no queue of events, and looks up no name."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import sys
import numpy
from facematch_local import FaceMatcher
FaceMatcher.open(sys.argv[1]).match(*[numpy.zeros((64, 64, 3), numpy.uint8)] * 2, type1="portrait")
"""
# In these ONNX Runtime is silent by itself, so the test would see nothing.
QUIET = {"CI", "TF_BUILD", "GITHUB_ACTIONS", "ORT_RUNNING_UNIT_TESTS", "ORT_DISABLE_TELEMETRY", "PYTEST_CURRENT_TEST"}


@pytest.mark.slow
def test_onnx_runtime_reports_nothing(pack_path: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in QUIET}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    trace = tmp_path / "trace"
    strace = shutil.which("strace")
    watch = [strace, "-f", "-e", "trace=connect", "-o", str(trace)] if strace else []
    command = [*watch, sys.executable, "-c", CODE, str(pack_path)]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, timeout=110)  # noqa: S603
    assert [path for path in home.rglob("*") if "onnxruntime" in str(path)] == []
    if strace:
        assert [line for line in trace.read_text().splitlines() if "AF_INET" in line] == []


def test_someone_who_set_the_variable_keeps_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import os, facematch_local; print(os.environ['ORT_DISABLE_TELEMETRY'])"],
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "0", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "0"


def test_only_the_library_loads_it_and_says_no_first() -> None:
    server = Path(__file__).resolve().parents[2] / "server"
    loads = re.compile(r"^\s*(?:import|from) (?:onnxruntime|insightface)", re.M)
    assert [path.name for path in server.rglob("*.py") if loads.search(path.read_text("utf-8"))] == []
    code = "import os, sys, facematch_local; print(os.environ['ORT_DISABLE_TELEMETRY'], 'onnxruntime' in sys.modules)"
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.split() == ["1", "False"]
