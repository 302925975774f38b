"""The siege: its judgement can fail, its hostile set is whole, and it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIEGE = ROOT / "scripts" / "siege.py"


@pytest.fixture(scope="module")
def sieging() -> Iterator[dict[str, ModuleType]]:
    """Modules of `scripts/sieging` by name."""
    import importlib

    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        yield {
            name: importlib.import_module(f"sieging.{name}") for name in ("arsenal", "attackers", "report", "service")
        }
    finally:
        sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture
def good(sieging: dict[str, ModuleType]) -> Any:
    """A siege in which every bound holds."""
    report, attackers = sieging["report"], sieging["attackers"]
    phase = report.Measured(100, 0, {}, 0.1, 0.2, 0.3, 0.4, 0.01, 0.02)
    attacks = attackers.Attacks({"a": 1}, {"a": 20.0, report.UNREAD: 30.0}, {"503": 1}, [])
    return report.Siege(phase, replace(phase, p99=0.9), attacks, 21, 300, 900, 200, 5000, 4, 5.5, 7, 0, 20.0)


def test_every_bound_can_be_broken(sieging: dict[str, ModuleType], good: Any) -> None:
    bounds = sieging["report"].bounds
    assert all(bound.holds for bound in bounds(good))
    broken = [
        replace(good, besieged=replace(good.besieged, p99=0.91)),
        replace(good, besieged=replace(good.besieged, busy=1)),
        replace(good, alone=replace(good.alone, errors={"HTTP 500": 1})),
        replace(good, attacks=replace(good.attacks, longest={"a": 21.1})),
        replace(good, attacks=replace(good.attacks, hung=["a"])),
        replace(good, peak_mib=5001),
        replace(good, end_seconds=None),
        replace(good, faults=1),
    ]
    for number, siege in enumerate(broken):
        assert [bound.holds for bound in bounds(siege)].index(False) == number
        assert sum(not bound.holds for bound in bounds(siege)) == 1


def test_the_report_says_which_bound_is_broken(
    sieging: dict[str, ModuleType], good: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sieging["report"].print_report(replace(good, end_seconds=9.0))
    printed = capsys.readouterr().out
    assert "BROKEN  SIGTERM ends the service within 7 s: 9.0 s" in printed
    assert printed.count("BROKEN") == 1


def test_quantiles(sieging: dict[str, ModuleType]) -> None:
    quantile = sieging["report"].quantile
    assert quantile([], 0.99) == 0
    assert quantile([3.0], 0.99) == 3
    assert quantile([float(n) for n in range(101)], 0.99) == pytest.approx(99)


@pytest.mark.slow
def test_the_hostile_set_is_whole(sieging: dict[str, ModuleType]) -> None:
    """Every hostile photo, request, body, form and image server that the tests know."""
    from tests.hostile_photos import HOSTILE
    from tests.hostile_requests import BODIES, FORMS, HOSTILE_REQUESTS, REPLIES

    target = sieging["service"].Address(1, ("key", "secret"), None, "imported")
    sieging["arsenal"].BODY_BYTES = 1000
    with ExitStack() as stack:
        names = [weapon.name for weapon in sieging["arsenal"].weapons(target, stack)]
    for name in (*HOSTILE, *BODIES, *FORMS, *REPLIES, *(make.__name__ for make in HOSTILE_REQUESTS)):
        assert name in names


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="as long as decoders need Linux")
@pytest.mark.parametrize("tls", [[], ["--tls"]], ids=["plain", "tls"])
def test_a_short_siege(pack_path: Path, tls: list[str]) -> None:
    """What it says of speed means nothing on a busy machine; all else must hold."""
    done = run("--pack", str(pack_path), "--seconds", "5", "--attackers", "3", "--json", *tls)
    told = json.loads(done.stdout)
    broken = [bound for bound in told["bounds"] if not bound["holds"] and not bound["promise"].startswith("p99")]
    assert not broken, done.stdout
    assert done.returncode == int(not all(bound["holds"] for bound in told["bounds"]))
    assert told["besieged"]["requests"] > 0
    assert len(told["attacks"]["sent"]) >= 8


@pytest.mark.slow
def test_a_short_fuzz(pack_path: Path) -> None:
    done = run("--pack", str(pack_path), "--fuzz", "200", "--json")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["requests"] == 200


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [["--seconds", "0"], ["--attackers", "1000"], ["--fuzz", "x"]])
def test_it_is_bounded(wrong: list[str]) -> None:
    done = run(*wrong)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(SIEGE), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)  # noqa: S603
