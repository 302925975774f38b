"""The plugin as the tests of a client use it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from facematch_server.pytest_plugin import _address, _running, facematch_server, facematch_settings  # noqa: F401


@pytest.fixture(scope="session")
def facematch_settings() -> Iterator[dict[str, str]]:  # noqa: F811
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("FACEMATCH_PACK", raising=False)
        yield {"FACEMATCH_WIRE_PROFILE": "observed"}


@pytest.mark.slow
def test_a_comparison_and_a_scenario(facematch_server: Any, astronaut_jpeg: bytes) -> None:  # noqa: F811
    def ask(auth: tuple[str, str]) -> Any:
        files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
        return requests.post(
            facematch_server.endpoint, params={"format_type": "file"}, files=files, auth=auth, timeout=60
        ).json()

    data = ask(facematch_server.auth)["data"]
    assert data["match"] == "1"
    assert data["invalidCode"] == int(data["invalidCode"]), "the setting has no effect"
    assert ask(facematch_server.scenario("error-4"))["errorCode"] == "4"


@pytest.mark.slow
def test_the_small_pack_unless_another_is_named(facematch_server: Any) -> None:  # noqa: F811
    about = requests.get(facematch_server.url + "/version", timeout=60).json()
    assert (about["pack"], about["notice"]) == ("compact", "")


def test_a_service_that_ends_is_reported_with_its_last_line(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as process:
        process.wait()
    for said, last in (("one\nno model pack\n", "no model pack"), ("", "it said nothing")):
        (tmp_path / "log").write_text(said, "utf-8")
        with pytest.raises(RuntimeError, match=f"did not start: {last}$"):
            _address(process, tmp_path / "log")


@pytest.mark.slow
def test_a_service_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pack that the environment names is the one that it tries."""
    monkeypatch.setenv("FACEMATCH_PACK", "/no/such/pack")
    with pytest.raises(RuntimeError, match="no model pack '/no/such/pack'"), _running({}, tmp_path):
        pass


def test_pytest_starts_no_slower_for_it() -> None:
    code = "import sys, pytest; before = set(sys.modules); import facematch_server.pytest_plugin; "
    code += "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    environ = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.split() == ["facematch_server"]
