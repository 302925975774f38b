"""The training package: modules import each other, programs explain themselves, runs and docs name what exists."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import TypeGuard

import pytest

from scripts import training

FOLDER = Path(training.__file__).parent
ROOT = FOLDER.parents[1]
FILES = sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*.py") if path.name != "__init__.py")
MODULES = [".".join(path.with_suffix("").parts) for path in FILES]
PROGRAMS = [
    name for name in MODULES if "\ndef main() -> None:" in (FOLDER / f"{name.replace('.', '/')}.py").read_text()
]
TASKS = (
    "detector",
    "recogniser",
    "landmarks",
    "face_filter",
    "occlusion",
    "recapture",
    "texture",
    "document",
    "photocopy",
)
EXTRAS = ("torch", "openvino")  # packages of the extra `training`


def imported(name: str) -> object:
    try:
        return importlib.import_module(f"scripts.training.{name}")
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] not in EXTRAS:
            raise
        pytest.skip(f"needs {error.name}, of the extra for the trainings")


@pytest.mark.parametrize("folder", sorted({name.partition(".")[0] for name in MODULES}))
def test_every_module_can_be_imported(folder: str) -> None:
    lacking = []
    for name in MODULES:
        if name.partition(".")[0] == folder:
            try:
                imported(name)
            except pytest.skip.Exception as reason:
                lacking.append(f"{name} {reason}")
    if lacking:
        pytest.skip("; ".join(lacking))


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_the_same_file_names(task: str) -> None:
    names = {path.name for path in (FOLDER / task).glob("*.py")}
    assert {"data.py", "net.py", "train.py", "evaluate.py", "run.py"} <= names


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_explains_itself(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = imported(name)
    monkeypatch.setattr("sys.argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        program.main()  # type: ignore[attr-defined]
    assert ended.value.code == 0
    assert (program.__doc__ or "").splitlines()[0][:30] in capsys.readouterr().out


def steps_of(file: Path) -> list[tuple[str, list[str]]]:
    """Module and options of every `step(...)` in a file."""
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    steps = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "step"]
    found = []
    for call in steps:
        texts = [str(node.value) for node in ast.walk(call) if isinstance(node, ast.Constant)]
        names = [f"--{ast.literal_eval(node.args[0])}" for node in ast.walk(call) if _is_option(node)]
        found.append((texts[0], [text for text in texts if text.startswith("--")] + names))
    return found


def _is_option(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "option"


@pytest.mark.parametrize("task", TASKS)
def test_a_run_starts_programs_that_exist_with_options_that_they_have(
    task: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = steps_of(FOLDER / task / "run.py")
    assert steps
    for name, options in steps:
        assert name in PROGRAMS
        program = imported(name)
        monkeypatch.setattr("sys.argv", [name, "--help"])
        with pytest.raises(SystemExit):
            program.main()  # type: ignore[attr-defined]
        text = capsys.readouterr().out
        assert [option for option in options if f"{option} " not in text.replace("\n", " ")] == []


PAGES = sorted(page for folder in ("docs", "models", ".") for page in (ROOT / folder).glob("*.md")) + sorted(
    (ROOT / "models").glob("*/*.md")
)


def test_paths_in_the_docs_exist() -> None:
    named = {
        path for page in PAGES for path in re.findall(r"scripts/training/[\w/]+(?:\.\w+)?", page.read_text("utf-8"))
    }
    assert len(named) > 10
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_commands_in_the_docs_have_the_options_that_they_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "\n".join(page.read_text("utf-8").replace("\\\n", " ") for page in PAGES)
    commands = re.findall(r"python -m scripts\.training\.([\w.]+)([^\n`#]*)", text)
    assert len(commands) > 20
    for name, rest in commands:
        assert name in PROGRAMS
        try:
            program = importlib.import_module(f"scripts.training.{name}")
        except ModuleNotFoundError as error:
            if str(error.name).split(".")[0] not in EXTRAS:
                raise
            continue
        monkeypatch.setattr("sys.argv", [name, "--help"])
        with pytest.raises(SystemExit):
            program.main()
        known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, name
