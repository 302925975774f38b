"""`facematch evaluate warnings`: errors before the run, and the printed report."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def data(tmp_path: Path, astronaut_jpeg: bytes) -> Path:
    """A data folder: two portraits, a photo that cannot be decoded, and a list of the three."""
    for name in ("set/a.jpg", "set/b.jpg", "bad/bad.jpg", "[red]x/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(astronaut_jpeg)
    (tmp_path / "bad" / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo")
    _list(tmp_path, "set/a.jpg,9,negative", "set/b.jpg,7,negative", "bad/bad.jpg,9,negative")
    return tmp_path


def _list(folder: Path, *rows: str) -> None:
    (folder / "labels.csv").write_text("\n".join(["path,code,label", *rows, ""]), "utf-8")


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (["set/a.jpg,9,negative", "set/gone.jpg,9,negative"], [], "1 of 2 photos cannot be opened: set/gone.jpg"),
        (["set,9,negative"], [], "cannot be opened: set"),
        (["set/a.jpg,9,negative"], ["--data", "nowhere"], "cannot be opened: set/a.jpg"),
        (["x" * 300 + ".jpg,9,negative"], [], "cannot be opened: xxx"),
        (["bad/bad.jpg,9,negative"], [], "no photo could be decoded: bad/bad.jpg"),
        (["set/a.jpg,9,negative"], ["--portraits", "nosuch"], "no such folder"),
        (["set/a.jpg,9,negative"], ["--portraits", "/etc"], "not a path in the data folder"),
        (["set/a.jpg,9,negative"], ["--portraits", "../set"], "not a path in the data folder"),
        (["set/a.jpg,9,negative"], ["--portraits", "set", "--synthetic", 1], "a photo without a document"),
        (["../set/a.jpg,9,negative"], [], "line 2: ../set/a.jpg is not a path in the data folder"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    data: Path, facematch: Callable[..., Any], pack_path: Path, rows: list[str], options: list[object], message: str
) -> None:
    _list(data, *rows)
    done = facematch("evaluate", "warnings", data / "labels.csv", "--pack", pack_path, *options)
    assert done.code == 2, done.err
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert done.out == ""


def test_photos_that_cannot_be_decoded_are_counted_and_named(
    data: Path, facematch: Callable[..., Any], pack_path: Path
) -> None:
    done = facematch(
        *("evaluate", "warnings", data / "labels.csv", "--pack", pack_path, "--portraits", "[red]x"),
        *("--portraits", "./[red]x", "--json", data / "o.json", "--html", data / "o.html"),
    )
    assert done.code == 0, done.err
    note = "1 photos could not be decoded and do not count: bad/bad.jpg"
    assert note in done.out
    assert note in (data / "o.html").read_text("utf-8")
    figures = json.loads((data / "o.json").read_text("utf-8"))
    assert figures["undecoded"] == ["bad/bad.jpg"]
    # The name of a folder is not markup, and a folder named twice is examined once.
    assert "portraits of [red]x" in done.out
    assert {row["negative"] for row in figures["by_code"] if row["code"] in (5, 6, 8)} == {1}


def test_all_photos_are_reported_on(data: Path, facematch: Callable[..., Any], pack_path: Path) -> None:
    content = (data / "set" / "a.jpg").read_bytes()
    names = [f"set/{number}.jpg" for number in range(6)]
    for name in names:
        (data / name).write_bytes(content)
    _list(data, *(f"{name},5/7,negative" for name in names))
    out = data / "o.json"
    done = facematch("evaluate", "warnings", data / "labels.csv", "--pack", pack_path, "--json", out)
    assert done.code == 0, done.err
    figures = json.loads(out.read_text("utf-8"))
    assert {(row["code"], row["negative"], row["false_alarms"]) for row in figures["by_code"]} == {(5, 6, 0), (7, 6, 0)}
    assert "By code" in done.out
    assert "By kind" not in done.out


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_folder_as_output_is_refused_before_the_run(data: Path, facematch: Callable[..., Any], option: str) -> None:
    # The pack does not exist: if the run had begun, the message would name it.
    done = facematch("evaluate", "warnings", data / "labels.csv", "--pack", data / "none", option, data / "set")
    assert done.code == 2
    assert "set: is a folder" in done.err


def test_an_output_that_may_not_be_written_is_refused_before_the_run(
    data: Path, facematch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # For root, who may write anywhere, the question is answered here.
    refused = {data / "there.json", data / "set"}
    monkeypatch.setattr(os, "access", lambda path, mode: not (mode == os.W_OK and Path(path) in refused))
    (data / "there.json").touch()
    for out in (data / "there.json", data / "set" / "new.json"):
        done = facematch("evaluate", "warnings", data / "labels.csv", "--pack", data / "none", "--json", out)
        assert done.code == 2
        assert f"{out}: may not be written" in done.err
