"""The plugin as the tests of a client use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from facematch_server.pytest_plugin import _running, facematch_server, facematch_settings  # noqa: F401


@pytest.fixture(scope="session")
def facematch_settings(pack_path: Path) -> dict[str, str]:  # noqa: F811
    return {"FACEMATCH_PACK": str(pack_path)}


def test_a_comparison_and_a_scenario(facematch_server: Any, astronaut_jpeg: bytes) -> None:  # noqa: F811
    def ask(auth: tuple[str, str]) -> Any:
        files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
        return requests.post(
            facematch_server.endpoint, params={"format_type": "file"}, files=files, auth=auth, timeout=60
        ).json()

    assert ask(facematch_server.auth)["data"]["match"] == "1"
    assert ask(facematch_server.scenario("error-4"))["errorCode"] == "4"


def test_a_service_that_cannot_start_says_why(tmp_path: Path) -> None:
    settings = {"FACEMATCH_PACK": str(tmp_path / "none")}
    with pytest.raises(RuntimeError, match="no model pack"), _running(settings, tmp_path):
        pass


@pytest.mark.parametrize(("named", "used"), [(None, "compact"), ("/no/such/pack", None)])
def test_the_small_pack_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None, used: str | None
) -> None:
    monkeypatch.delenv("FACEMATCH_PACK", raising=False)
    if named:
        monkeypatch.setenv("FACEMATCH_PACK", named)
    if used is None:
        with pytest.raises(RuntimeError, match=f"no model pack '{named}'"), _running({}, tmp_path):
            pass
        return
    with _running({}, tmp_path) as server:
        about = requests.get(server.url + "/version", timeout=60).json()
    assert (about["pack"], about["notice"]) == (used, "")


def test_pytest_starts_no_slower_for_it() -> None:
    code = "import sys, pytest; before = set(sys.modules); import facematch_server.pytest_plugin; "
    code += "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    environ = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.split() == ["facematch_server"]
