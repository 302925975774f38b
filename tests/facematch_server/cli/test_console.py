"""Consoles and pipes whose encoding lacks the letters of a name, as Windows has them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facematch_server.cli import main

NAME = "Nguyễn Đức 😀 é"


class Stream(io.TextIOWrapper):
    """Standard output or error in some encoding, strict as Python opens them."""

    def __init__(self, encoding: str, errors: str) -> None:
        super().__init__(io.BytesIO(), encoding, errors, write_through=True)

    @property
    def written(self) -> bytes:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue()


def run(
    monkeypatch: pytest.MonkeyPatch, encoding: str, *arguments: str, errors: str = "strict"
) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error of the command in this process."""
    out, err = Stream(encoding, errors), Stream(encoding, errors)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        patched.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as left:
            main(arguments)
    return int(left.value.code or 0), out.written, err.written


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("FACEMATCH_DATABASE_URL", raising=False)
    monkeypatch.setenv("FACEMATCH_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("encoding", "errors"),
    [
        ("cp1252", "strict"),
        ("cp1258", "strict"),
        ("ascii", "strict"),
        ("ascii", "surrogateescape"),
        ("utf-8", "strict"),
    ],
)
@pytest.mark.usefixtures("commands_built_once")
def test_names_outside_the_encoding_are_printed(monkeypatch: pytest.MonkeyPatch, encoding: str, errors: str) -> None:
    assert run(monkeypatch, "utf-8", "keys", "create", "--name", NAME)[0] == 0
    api_key = json.loads(run(monkeypatch, encoding, "keys", "list", "--json")[1])[0]["api_key"]
    for command in ("list", "usage", "audit"):
        code, out, _ = run(monkeypatch, encoding, "keys", command, errors=errors)
        assert code == 0
        assert api_key.encode() in out
        code, out, _ = run(monkeypatch, encoding, "keys", command, "--json", errors=errors)
        assert code == 0
        assert NAME in json.dumps(json.loads(out.decode(encoding)), ensure_ascii=False)
    # In a message too, which goes to standard error.
    code, _, err = run(monkeypatch, encoding, "keys", "disable", NAME, errors=errors)
    assert code == 2
    assert b"Nguy" in err


@pytest.mark.slow
def test_the_same_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "utf-8", "keys", "create", "--name", NAME)[0] == 0
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "facematch_server", "keys", "list"]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=100)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert rb"Nguy\u1ec5n" in done.stdout
