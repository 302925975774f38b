"""Cases: the label list, folders of portraits, and lists of photos to leave out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from facematch_local.checks import Role
from facematch_local.codes import WarningCode
from facematch_local.evaluation.table_file import InputError
from facematch_local.evaluation.warnings import cases as c


def _summary(cases: list[c.Case]) -> list[tuple[str, int, bool, str]]:
    return [(case.name, int(case.code), case.positive, case.role.value) for case in cases]


def test_a_row_makes_a_case_of_each_code_in_its_role(tmp_path: Path, write_labels: Callable[..., Path]) -> None:
    labels = write_labels("a.jpg,9/2,positive", "b.jpg,0/10,negative")
    cases = c.read_cases(labels, tmp_path)
    assert _summary(cases) == [
        ("a.jpg", 9, True, "portrait"),
        ("a.jpg", 2, True, "card"),
        ("b.jpg", 0, False, "portrait"),
        ("b.jpg", 10, False, "portrait"),
    ]
    assert [(case.kind, case.subject) for case in cases[1:3]] == [("positive", "a.jpg"), ("negative", "b.jpg")]
    (tmp_path / "a.jpg").write_bytes(b"bytes")
    assert cases[0].read() == b"bytes"


def test_optional_columns_name_role_kind_and_person(tmp_path: Path, write_labels: Callable[..., Path]) -> None:
    labels = write_labels("a.jpg,10,Negative,Card,shiny,anna", columns="\ufeffPath,Code,Label,Role,Kind,Subject")
    (case,) = c.read_cases(labels, tmp_path)
    assert (case.role, case.kind, case.subject, case.positive) == (Role.CARD, "shiny", "anna", False)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("set/a.jpg,99,positive", "the code is a number from 0 to 12"),
        ("set/a.jpg,x,negative", "the code is a number from 0 to 12"),
        ("set/a.jpg,,negative", "the code is a number from 0 to 12"),
        ("set/a.jpg,5/,negative", "the code is a number from 0 to 12"),
        ("set/a.jpg,9,positive,selfie", "the role card or portrait"),
        ("set/a.jpg,0,positive", "its label is negative"),
        ("set/a.jpg,9/0,positive", "its label is negative"),
        ("set/a.jpg,9,masked", "the label is positive or negative, not 'masked'"),
        ("set/a.jpg,9,", "the label is positive or negative, not ''"),
        ("set/a.jpg,7,positive,card", "code 7 is never raised on a card"),
        ("set/a.jpg,1,negative,portrait", "code 1 is never raised on a portrait"),
        ("../a.jpg,9,positive", "not a path in the data folder"),
    ],
)
def test_rows_in_another_form_are_named_by_their_line(
    tmp_path: Path, write_labels: Callable[..., Path], row: str, message: str
) -> None:
    # Rows without a path do not count as cases, but as lines.
    labels = write_labels(",9,positive,", "", row, columns="path,code,label,role")
    with pytest.raises(InputError, match=rf"labels\.csv, line 4: .*{message}"):
        c.read_cases(labels, tmp_path)


@pytest.mark.parametrize(
    "columns", ["file,code,label", "path;code;label", "path,code"], ids=["path", "separator", "label"]
)
def test_lists_without_the_columns_are_refused(tmp_path: Path, write_labels: Callable[..., Path], columns: str) -> None:
    with pytest.raises(InputError, match=r"labels\.csv: has no column (path|label)"):
        c.read_cases(write_labels("a,9,positive", columns=columns), tmp_path)


def test_repeated_rows_make_one_case(tmp_path: Path, write_labels: Callable[..., Path]) -> None:
    rows = ["a.jpg,9,positive", "./a.jpg,9,positive", "b.jpg,8,positive", "b.jpg,7/8,positive"]
    cases = c.read_cases(write_labels(*rows), tmp_path)
    assert [(case.name, int(case.code)) for case in cases] == [("a.jpg", 9), ("b.jpg", 8), ("b.jpg", 7)]
    assert c.deduplicated(cases * 2) == cases


def test_rows_that_contradict_each_other_are_refused_even_beyond_the_limit(
    tmp_path: Path, write_labels: Callable[..., Path]
) -> None:
    labels = write_labels("a.jpg,9,positive", "b.jpg,9,positive", "b.jpg,9,negative")
    for limit in (0, 1):
        with pytest.raises(InputError, match=r"labels\.csv: b\.jpg: code 9 is both positive and negative as portrait"):
            c.read_cases(labels, tmp_path, limit=limit)


def test_the_limit_counts_photos_of_each_kind_label_code_and_role(
    tmp_path: Path, write_labels: Callable[..., Path]
) -> None:
    rows = [f"{n}.jpg,{code},{label},{kind}" for n, (code, label, kind) in enumerate(
        [(9, "positive", "red")] * 8 + [(9, "positive", "blue")] * 8 + [(9, "negative", "red")] * 8
        + [("9/8", "positive", "red")] * 8
    )]  # fmt: skip
    cases = c.read_cases(write_labels(*rows, columns="path,code,label,kind"), tmp_path, limit=2)
    assert list(dict.fromkeys(case.name for case in cases)) == [
        f"{n}.jpg" for start in (0, 8, 16, 24) for n in (start, start + 4)
    ]
    assert len(c.read_cases(tmp_path / "labels.csv", tmp_path)) == 40


def test_missing_photos_are_named_and_counted(
    tmp_path: Path, write_labels: Callable[..., Path], write_grey: Callable[..., None]
) -> None:
    write_grey({"a.jpg": 0})
    cases = c.read_cases(write_labels(*(f"{name}.jpg,9,positive" for name in "abcdef")), tmp_path)
    c.require_files(cases[:1], tmp_path)
    with pytest.raises(InputError, match=r"5 of 6 photos cannot be opened: b\.jpg, c\.jpg, d\.jpg \.\.\.$"):
        c.require_files(cases, tmp_path)


def test_portraits_raise_no_code_and_every_tenth_is_no_card(tmp_path: Path, write_grey: Callable[..., None]) -> None:
    write_grey({f"faces/{n:02d}.jpg": 0 for n in range(22)})
    (tmp_path / "faces" / "notes.txt").touch()
    cases = c.ordinary_portraits(tmp_path, "./faces", skip=frozenset({"faces/00.jpg"}))
    portraits = [case for case in cases if case.role is Role.PORTRAIT]
    cards = [case for case in cases if case.role is Role.CARD]
    assert [int(case.code) for case in portraits[:9]] == [0, *c.PORTRAIT_CODES]
    assert {case.positive for case in portraits} == {False}
    assert len(portraits) == 21 * 9
    assert _summary(cards) == [(f"faces/{n:02d}.jpg", 1, True, "card") for n in (1, 11, 21)]
    assert {case.kind for case in cases} == {"portraits of faces"}
    assert {case.name for case in c.ordinary_portraits(tmp_path, "faces", limit=2)} == {"faces/00.jpg", "faces/11.jpg"}


def test_portraits_are_photos_of_a_folder_in_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "data" / "empty").mkdir(parents=True)
    for folder, message in (
        ("nosuch", "no such folder"),
        ("empty", "no photo"),
        ("../data/empty", "not a path in"),
        (str(tmp_path), "not a path in"),
    ):
        with pytest.raises(InputError, match=message):
            c.ordinary_portraits(tmp_path / "data", folder)


@pytest.mark.parametrize(
    ("path", "folder", "subject"),
    [
        ("faces/anna/1.jpg", "faces", "faces/anna"),
        ("faces/anna/out/1.jpg", "faces", "faces/anna"),
        ("anna/1.jpg", ".", "anna"),
        ("1.jpg", ".", "1.jpg"),
        ("a/flat/1.jpg", "a/flat", "a/flat/1.jpg"),
    ],
)
def test_a_folder_in_the_folder_is_a_person(path: str, folder: str, subject: str) -> None:
    assert c.subject_in(path, folder) == subject


def _case(name: str, code: int) -> c.Case:
    return c.Case(name, WarningCode(code), True, Role.PORTRAIT, "", False, lambda: b"")


def test_photos_are_left_out_of_all_codes_or_of_the_named_ones(tmp_path: Path) -> None:
    every, some = tmp_path / "every.csv", tmp_path / "some.csv"
    every.write_text("path,why\na/1.jpg,a hat\nb/2.jpg,\n", "utf-8")
    some.write_text("path,code\nc/3.jpg,5/6\nd/4.jpg,8\n./a/1.jpg,8\nd/4.jpg,9\n", "utf-8")
    left_out = c.read_left_out([every, some])
    assert len(left_out) == 4
    gone = {(name, code) for name in ("a/1.jpg", "c/3.jpg", "d/4.jpg", "e/5.jpg") for code in (1, 5, 8, 9)}
    gone = {(name, code) for name, code in gone if _case(name, code) in left_out}
    assert gone == {*(("a/1.jpg", code) for code in (1, 5, 8, 9)), ("c/3.jpg", 5), ("d/4.jpg", 8), ("d/4.jpg", 9)}


def test_a_list_of_photos_to_leave_out_in_another_form_is_refused(tmp_path: Path) -> None:
    bad, odd = tmp_path / "bad.csv", tmp_path / "odd.csv"
    bad.write_text("file\na/1.jpg\n", "utf-8")
    with pytest.raises(InputError, match="no column path"):
        c.read_left_out([bad])
    for code in ("five", "99", "7/-1"):
        odd.write_text(f"path,code\na/1.jpg,{code}\n", "utf-8")
        with pytest.raises(InputError, match=r"odd\.csv, line 2: a code is a number"):
            c.read_left_out([odd])
    with pytest.raises(InputError, match="cannot be read"):
        c.read_left_out([tmp_path / "none.csv"])


@pytest.mark.parametrize(("count", "limit", "chosen"), [(3, 0, [0, 1, 2]), (3, 5, [0, 1, 2]), (7, 3, [0, 2, 4])])
def test_items_are_evenly_spaced(count: int, limit: int, chosen: list[int]) -> None:
    assert c.evenly_spaced(range(count), limit) == chosen
