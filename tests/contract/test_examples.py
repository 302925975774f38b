"""The examples whose languages are here, run as they are against a live service."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
COMMANDS = {
    "client.py": [sys.executable],
    "client.mjs": ["node"],
    "Client.java": ["java"],
    "client.php": ["php"],
    "client.dart": ["dart", "run"],
    "client.sh": ["sh"],
}


@pytest.fixture(scope="module")
def service(start: Callable[..., Any]) -> Any:
    return start(scenarios=True)


@pytest.fixture
def run(service: Any, astronaut_jpeg: bytes, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(astronaut_jpeg)

    def run(name: str, key: str) -> subprocess.CompletedProcess[str]:
        program, *options = COMMANDS[name]
        found = shutil.which(program)
        needed = "curl" if name == "client.sh" else program
        if found is None or shutil.which(needed) is None:
            pytest.skip(f"needs {needed}, which is not here")
        command = [found, *options, str(EXAMPLES / name), service.url, key, "any", str(photo), str(photo)]
        environ = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100)  # noqa: S603

    return run


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["documented", "observed"])
@pytest.mark.parametrize("name", COMMANDS)
def test_it_reads_replies_of_both_profiles(run: Callable[..., Any], name: str, profile: str) -> None:
    done = run(name, f"scenario-matching-74.99+warning-9+{profile}")
    assert done.returncode == 0, done.stderr
    if name == "client.sh":  # prints the reply as it is
        data = json.loads(done.stdout)["data"]
        assert (data["match"], data["matching"], int(data["invalidCode"])) == ("0", "74.99", 9)
    else:
        assert done.stdout.strip() == "match=0 matching=74.99 invalidCode=9"


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_it_tells_errors(run: Callable[..., Any], name: str) -> None:
    done = run(name, "scenario-error-4")
    assert re.search('error.?4|"errorCode":"4"', done.stderr + done.stdout)
    assert (done.returncode == 0) == (name == "client.sh")
