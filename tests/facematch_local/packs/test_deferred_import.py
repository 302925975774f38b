"""Deferred imports: nothing happens before the first use, and everything is there at it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from facematch_local.packs.deferred_import import deferred_import


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package whose import imports its submodule `slow`."""
    folder = tmp_path / "deferred_example"
    folder.mkdir()
    (folder / "__init__.py").write_text("from . import slow\nfrom . import quick\n")
    (folder / "quick.py").write_text("VALUE = 1\n")
    (folder / "slow.py").write_text("import deferred_example_used\nVALUE = 2\n")
    (tmp_path / "deferred_example_used.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("deferred_example", "deferred_example.slow", "deferred_example.quick", "deferred_example_used"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "deferred_example"


def test_a_deferred_module_loads_at_its_first_use(package: str) -> None:
    before = list(sys.meta_path)
    with deferred_import(f"{package}.slow"):
        module = __import__(package)
    assert sys.meta_path == before
    assert module.quick.VALUE == 1
    assert "deferred_example_used" not in sys.modules
    assert module.slow.VALUE == 2
    assert "deferred_example_used" in sys.modules


def test_without_deferring_it_loads_at_once(package: str) -> None:
    __import__(package)
    assert "deferred_example_used" in sys.modules


def test_a_failure_inside_leaves_the_importer_as_it_was() -> None:
    before = list(sys.meta_path)
    with pytest.raises(ZeroDivisionError), deferred_import("nothing"):
        raise ZeroDivisionError
    assert sys.meta_path == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "use", ["from insightface.app import FaceAnalysis", "import insightface; insightface.app.FaceAnalysis"]
)
def test_insightface_stays_whole(use: str, pack_path: Path) -> None:
    code = f"from facematch_local import FaceMatcher; FaceMatcher.open({str(pack_path)!r}); {use}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)  # noqa: S603
    assert done.returncode == 0, done.stderr
