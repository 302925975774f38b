"""Plain lists from the labels of the development data."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from facematch_local.evaluation.warnings.cases import PORTRAIT_CODES, read_cases
from scripts.development.labels import MEANINGS, labelled_rows, main, portrait_cases
from scripts.development.split import Split, held_out


def _labels(folder: Path, *rows: str) -> Path:
    file = folder / "labels.csv"
    file.write_text("\n".join(["path,code,label", *rows, ""]), "utf-8")
    return file


def test_each_split_has_its_own_photos(tmp_path: Path) -> None:
    names = [f"set/{n:03d}.jpg" for n in range(40)]
    labels = _labels(tmp_path, *(f"{name},9,mask" for name in names))
    assert main([str(labels), "-o", str(tmp_path / "new" / "lists")]) == 0
    splits = {
        split: {case.name for case in read_cases(tmp_path / "new" / "lists" / f"{split}.csv", tmp_path)}
        for split in Split
    }
    assert splits[Split.TEST] == {name for name in names if held_out(name)}
    assert splits[Split.DEVELOPMENT] == set(names) - splits[Split.TEST]
    assert len(labelled_rows(labels, tmp_path, None, limit=7)) == 7


def test_another_spelling_of_a_path_is_the_same_photo_in_the_same_split(tmp_path: Path) -> None:
    names = [f"set/{n:03d}.jpg" for n in range(40)]
    plain, dotted = (
        labelled_rows(_labels(tmp_path, *(f"{dots}{name},9,mask" for name in names)), tmp_path, Split.TEST)
        for dots in ("", "./x/../")
    )
    assert plain == dotted


def test_every_label_gives_rows_that_the_command_reads(tmp_path: Path) -> None:
    labels = _labels(tmp_path, *(f"p02/{n}.jpg,1,{label}" for n, label in enumerate(MEANINGS)))
    assert main([str(labels), "-o", str(tmp_path)]) == 0
    cases = read_cases(tmp_path / "test.csv", tmp_path)
    found = {(case.kind, int(case.code), case.positive, case.role.value, case.subject) for case in cases}
    assert found == {
        (meaning.kind, int(code), meaning.positive, meaning.role, "p02")
        for meanings in MEANINGS.values()
        for meaning in meanings
        for code in meaning.codes.split("/")
    }
    assert ("sunglasses", 9, False, "portrait", "p02") in found
    assert read_cases(tmp_path / "development.csv", tmp_path) == []


def test_portraits_of_a_split_are_those_without_a_label(tmp_path: Path) -> None:
    for number in range(1, 5):
        for name in ("a", "b"):
            (tmp_path / "faces" / f"p0{number}").mkdir(parents=True, exist_ok=True)
            (tmp_path / "faces" / f"p0{number}" / f"{name}.jpg").touch()
    labels = _labels(tmp_path, "faces/p02/a.jpg,8,hat_pseudo")
    assert main([str(labels), "--portraits", "faces", "-o", str(tmp_path)]) == 0
    with (tmp_path / "test.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["kind"] == "portraits of faces"]
    codes = "/".join(map(str, (0, *PORTRAIT_CODES)))
    assert [(row["path"], row["code"], row["label"], row["role"]) for row in rows] == [
        ("faces/p02/b.jpg", codes, "negative", "portrait"),
        ("faces/p04/a.jpg", codes, "negative", "portrait"),
        ("faces/p04/b.jpg", codes, "negative", "portrait"),
        ("faces/p02/b.jpg", "1", "positive", "card"),
    ]
    assert rows[0]["subject"] == "faces/p02"
    every = portrait_cases(tmp_path, "faces", Split.DEVELOPMENT, limit=2)
    assert {case.name for case in every} == {"faces/p01/a.jpg", "faces/p03/a.jpg"}


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (["a.jpg,9,masked"], [], "labels.csv, line 2: unknown label 'masked'"),
        (["../a.jpg,9,mask"], [], "line 2: ../a.jpg is not a path in the data folder"),
        (["a.jpg,9,mask"], ["--portraits", "none"], "no such folder of portraits"),
    ],
)
def test_labels_that_cannot_be_used_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[str], options: list[str], message: str
) -> None:
    assert main([str(_labels(tmp_path, *rows)), *options, "-o", str(tmp_path / "lists")]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert message in lines[0]


@pytest.mark.slow
def test_the_labels_of_the_development_data_do_not_contradict_each_other(shared: Path, tmp_path: Path) -> None:
    data = shared / "data"
    assert main([str(data / "labels.csv"), "-o", str(tmp_path)]) == 0
    cases = [case for split in Split for case in read_cases(tmp_path / f"{split}.csv", data)]
    assert len(cases) == len({(case.name, case.code, case.role) for case in cases}) > 3000
