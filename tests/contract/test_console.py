"""The service on a terminal: the banner's own command works, logs are readable, Ctrl-C ends it."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
pytestmark = pytest.mark.slow

_SECONDS = 120.0


class Terminal:
    """A program whose standard streams are a terminal."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.text = ""
        self.pid, self._stream = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)  # noqa: S606

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read until the text matches."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            if found := re.search(pattern, self.text):
                return found
            if select.select([self._stream], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self._stream, 65536).decode("utf-8", "replace").replace("\r\n", "\n")
                except OSError:  # the program has ended
                    break
        raise AssertionError(f"{pattern!r} is not in:\n{self.text}")

    def press(self, key: bytes) -> int:
        """Press a key that ends the program; its exit code."""
        os.write(self._stream, key)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_first_minute(facematch: Callable[..., Any], pack_path: Path, tmp_path: Path) -> None:
    assert facematch("samples", tmp_path / "samples").code == 0
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEMATCH_")}
    environment |= {
        "FACEMATCH_DATA_DIR": str(tmp_path),
        "FACEMATCH_PACK": str(pack_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TERM": "xterm",
    }
    terminal = Terminal(
        [sys.executable, "-m", "facematch_server", "serve", "--port", "0", "--profile", "observed"],
        tmp_path,
        environment,
    )
    try:
        command = terminal.wait_for(r"(?s)  (curl -u .*format_type=file')\n")[1]
        address = terminal.wait_for(r"page +(http://\S+)/\n")[1]
        terminal.wait_for(r"listening")
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, timeout=60, check=True)  # noqa: S602
        reply = json.loads(done.stdout)
        assert reply["data"]["match"] == "1"
        assert reply["data"]["invalidCode"] == 0  # the observed profile
        terminal.wait_for(
            r"\d\d:\d\d:\d\d\S*  POST /api/v2/ekyc/face_matching  200  errorCode 0  invalidCode 0  \d+ ms  key 1"
        )
        assert '{"time"' not in terminal.text
        shown = facematch("top", address, "--once", "--json")
        assert shown.code == 0
        assert json.loads(shown.out)[0]["answered"] == 1
    finally:
        code = terminal.press(b"\x03")
    assert code == 0
