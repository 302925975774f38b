"""The command as a whole: help, version, errors, weight."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

HEAVY = {"numpy", "cv2", "onnxruntime", "insightface", "PIL", "skimage", "fastapi", "sqlalchemy", "onnx", "scipy"}


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    return set(completed.stdout.split())


def test_importing_the_package_is_light() -> None:
    assert not loaded_by("import facematch_local") & (HEAVY | {"typer", "rich"})


def test_importing_the_command_is_light() -> None:
    assert not loaded_by("import facematch_server.cli.app") & HEAVY


def test_help_names_every_command(facematch: Callable[..., Any]) -> None:
    completed = facematch("--help")
    assert completed.code == 0
    for command in ("serve", "compare", "models", "keys", "db", "evaluate", "calibrate", "doctor"):
        assert command in completed.out


def test_version(facematch: Callable[..., Any]) -> None:
    from facematch_local import __version__

    assert facematch("--version").out.strip() == f"facematch-local {__version__}"


def test_errors_are_one_line_on_stderr(facematch: Callable[..., Any]) -> None:
    completed = facematch("compare", "does-not-exist.jpg", "neither.jpg")
    assert completed.code == 2
    assert completed.err.strip() == "facematch: does-not-exist.jpg: No such file or directory"
    assert completed.out == ""


def test_wrong_usage_exits_with_2(facematch: Callable[..., Any]) -> None:
    assert facematch("compare", "a.jpg", "b.jpg", "--type1", "passport").code == 2
