"""The Containerfile, compose file and systemd unit agree with each other and with the settings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from facematch_server.routes.health import health
from facematch_server.settings import Settings

DEPLOY = Path(__file__).resolve().parents[2] / "server" / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")
# FACEMATCH_DRAIN_SECONDS + FACEMATCH_SHUTDOWN_SECONDS + the time to end what still computes.
END_SECONDS = Settings().drain_seconds + Settings().shutdown_seconds + 2


@pytest.fixture
def compose() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="needs the package PyYAML")
    service: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]["facematch"]
    return service


def test_the_image_runs_as_a_user_that_is_not_root() -> None:
    users = re.findall(r"^USER (\S+)$", CONTAINERFILE, re.MULTILINE)
    assert users == ["10001:10001"]
    assert "--uid 10001" in CONTAINERFILE
    # The last instruction of the build that changes the user comes before the start.
    assert CONTAINERFILE.index("USER 10001") < CONTAINERFILE.index("ENTRYPOINT")


def test_the_image_sets_options_that_exist() -> None:
    named = {name.lower() for name in re.findall(r"FACEMATCH_([A-Z_]+)=", CONTAINERFILE)}
    assert named <= set(Settings.model_fields)
    assert {"host", "port", "data_dir", "url_policy"} <= named
    assert "FACEMATCH_URL_POLICY=off" in CONTAINERFILE


def test_the_health_check_asks_what_the_service_answers() -> None:
    path = re.search(r"127\.0\.0\.1:8000(/\w+)", CONTAINERFILE)
    assert path is not None
    assert path.group(1) in {route.path for route in health.routes}  # type: ignore[attr-defined]


def _copied() -> list[str]:
    build = CONTAINERFILE.partition("FROM docker.io/library/python:3.11-slim-bookworm\n")[0]
    return [part for line in re.findall(r"^COPY (.+)$", build, re.MULTILINE) for part in line.split()[:-1]]


def test_the_image_copies_what_the_build_needs() -> None:
    root = DEPLOY.parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", project["project"]["readme"], ".ci/constraints.txt", wheel["hooks"]["custom"]["path"]}
    needed |= {package.split("/")[0] for package in wheel["packages"]} | set(wheel["force-include"])
    assert needed <= set(_copied())
    assert [source for source in _copied() if not (root / source).exists()] == []


def test_the_ignore_file_lets_through_what_the_image_copies() -> None:
    lines = (DEPLOY.parents[1] / ".dockerignore").read_text("utf-8").splitlines()
    assert lines[1] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == set(_copied())


def test_compose_allows_the_container_nothing(compose: dict[str, Any]) -> None:
    assert compose["read_only"] is True
    assert compose["cap_drop"] == ["ALL"]
    assert compose["security_opt"] == ["no-new-privileges:true"]
    assert compose["ports"] == ["127.0.0.1:8000:8000"]
    assert compose["volumes"] == ["data:/data"]
    assert float(compose["stop_grace_period"].removesuffix("s")) > END_SECONDS


def test_the_page_names_the_same_limits(compose: dict[str, Any]) -> None:
    page = (DEPLOY.parents[1] / "docs" / "containers.md").read_text("utf-8")
    run = page[page.index("podman run") :].partition("```")[0]
    for option in ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "-v facematch-data:/data"):
        assert option in run
    assert f"--memory {compose['mem_limit']}" in run
    assert f"--stop-timeout {compose['stop_grace_period'].removesuffix('s')}" in run


def test_systemd_waits_for_the_end() -> None:
    unit = (DEPLOY / "facematch.service").read_text("utf-8")
    seconds = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert seconds is not None
    assert float(seconds.group(1)) > END_SECONDS
