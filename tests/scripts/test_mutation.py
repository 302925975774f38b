"""Mutation testing: which changes are chosen, how they are counted, and that its lists fit the tree."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

from scripts.mutation.trial import enter, mutated

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "scripts" / "mutation"
ROOMS = tomllib.loads((FOLDER / "modules.toml").read_text("utf-8"))["room"]
EQUIVALENT = tomllib.loads((FOLDER / "equivalent.toml").read_text("utf-8"))["mutant"]

SOURCE = '''\
"""A module."""
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from x import Y


@dataclass(frozen=True)
class A:
    b: int | None = 3


def f(x: int | None, y: int = 5) -> bool | None:
    if x is None or (z := y) == 7:
        return not y > 2
    if z := x + y:
        return x * z < -y
    return False
'''


def _joined(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room["path"])
def test_rooms_and_their_tests_exist(room: dict[str, object]) -> None:
    path = ROOT / str(room["path"])
    modules = {module.stem for module in path.rglob("*.py")}
    named = room.get("modules", {})
    assert isinstance(named, dict)
    assert path.exists()
    assert set(named) <= modules
    for tests in (room["tests"], *named.values()):
        for test in tests:  # type: ignore[attr-defined]
            assert (ROOT / test.partition("::")[0]).exists(), test


@pytest.mark.parametrize("entry", EQUIVALENT, ids=lambda entry: f"{Path(entry['module']).stem}-{entry['after'][:40]}")
def test_an_equivalent_mutant_is_one_of_code_that_is_there(entry: dict[str, str]) -> None:
    assert set(entry) == {"module", "before", "after", "reason"}
    # Comments lose the second blank before them in a report.
    assert entry["before"] in _joined((ROOT / entry["module"]).read_text("utf-8"))
    assert entry["before"] != entry["after"]
    assert len(entry["reason"].split()) > 3


def test_a_sample_is_repeatable_spread_and_distinct() -> None:
    pytest.importorskip("cosmic_ray", reason="needs the extra `mutation`")
    from scripts.mutation.sample import FAMILIES, sample

    mutants = sample("a.py", SOURCE, seed=1, least=12)
    assert mutants == sample("a.py", SOURCE, seed=1, least=12)
    assert mutants != sample("a.py", SOURCE, seed=2, least=12)
    assert len(mutants) == 12
    assert {mutant.family for mutant in mutants} == set(FAMILIES)
    assert len({mutant.applied(SOURCE) for mutant in mutants}) == 12
    for mutant in mutants:
        compile(mutant.applied(SOURCE), "a.py", "exec")
        assert mutant.before == _joined(SOURCE.splitlines()[mutant.line - 1])


def test_annotations_and_flags_of_data_classes_stay_as_they_are() -> None:
    pytest.importorskip("cosmic_ray", reason="needs the extra `mutation`")
    from scripts.mutation.sample import sample

    every = sample("a.py", SOURCE, seed=1, least=1000)
    assert len(every) == 14  # each place once
    for mutant in every:
        assert "TYPE_CHECKING" not in mutant.before
        assert "dataclass" not in mutant.before
        assert mutant.after.count("int | None") == mutant.before.count("int | None")


def test_the_share_leaves_equivalent_mutants_out() -> None:
    pytest.importorskip("cosmic_ray", reason="needs the extra `mutation`")
    from scripts.mutation.report import Result, as_json, share_killed, survivors, table
    from scripts.mutation.sample import Mutant

    mutant = Mutant("a.py", "condition", "core/AddNot", 0, 3, "if a:", "if not a:")
    outcomes = ("killed", "timeout", "survived", "equivalent", "equivalent")
    results = [Result(mutant, outcome, 1.0) for outcome in outcomes]
    assert share_killed(results) == pytest.approx(2 / 3)
    assert share_killed([]) == 1.0
    assert table(results).splitlines()[-1] == "| All | 5 | 2 | 1 | 2 | 67% |"
    assert survivors(results) == "a.py:3 (condition)\n- if a:\n+ if not a:"
    assert [entry["outcome"] for entry in as_json(results, 7)["mutants"]] == list(outcomes)


@pytest.mark.slow
def test_tests_run_in_a_fork_until_the_time_is_up(tmp_path: Path) -> None:
    bodies = {
        "assert True": "survived",
        "assert False": "killed",
        "import time; time.sleep(60)": "timeout",
        "import os; os._exit(9)": "killed",
    }
    program = "from pathlib import Path; from scripts.mutation.trial import run_tests\n"
    for number, (body, outcome) in enumerate(bodies.items()):
        test = tmp_path / f"test_{number}.py"
        test.write_text(f"def test_one():\n    {body}\n", "utf-8")
        limit = 1.0 if outcome == "timeout" else 60.0
        program += f"print(run_tests(({str(test)!r},), {limit}, Path({str(tmp_path / 'output')!r})).name)\n"
    # In a process of its own: this one has threads, which do not survive a fork.
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    assert run.stdout.split() == list(bodies.values())


def test_a_mutated_file_is_put_back(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"a = 1\r\n")
    with suppress(KeyError), mutated(file, "a = 2\n"):
        assert file.read_text("utf-8") == "a = 2\n"
        raise KeyError
    assert file.read_bytes() == b"a = 1\r\n"


def test_no_module_of_the_product_is_imported_before_it_is_mutated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "facematch_local.early", ModuleType("facematch_local.early"))
    with pytest.raises(RuntimeError, match=r"facematch_local\.early"):
        enter(tmp_path)
