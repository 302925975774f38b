"""`evaluate warnings`: figures, the two forms of labels, the split and the report."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.checks import Measure, Role
from facematch_local.codes import WarningCode
from facematch_local.evaluation.split import held_out
from facematch_local.evaluation.warnings import report as w
from facematch_local.evaluation.warnings.synthetic_cases import made_cases
from facematch_local.imaging.decode import encode_jpeg
from facematch_local.policy import load_policy


class _Matcher:
    """Measures blur as the photo's first pixel says, so that outcomes are known beforehand."""

    def examine(self, image: bytes, role: Role) -> tuple[None, Any]:
        from facematch_local.imaging.decode import decode

        value = float(decode(image).pixels[0, 0, 0]) / 255
        measure = Measure(value) if value < 0.99 else Measure.not_assessed("white")
        return None, load_policy().judge(1, role, {"blur": measure})


def _folder(tmp_path: Path, rows: list[str], grey: dict[str, int]) -> Path:
    (tmp_path / "set").mkdir()
    for name, value in grey.items():
        (tmp_path / "set" / name).write_bytes(encode_jpeg(np.full((16, 16, 3), value, np.uint8)))
    labels = tmp_path / "labels.csv"
    labels.write_text("path,code,label\n" + "\n".join(rows) + "\n", "utf-8")
    return labels


def _write(tmp_path: Path, rows: list[str]) -> Path:
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(["path,code,label", *rows, ""]), "utf-8")
    return labels


def test_hits_misses_and_false_alarms_are_counted(tmp_path: Path) -> None:
    rows = ["set/a.jpg,10,positive", "set/b.jpg,10,positive", "set/c.jpg,10,negative", "set/d.jpg,10,negative"]
    labels = _folder(tmp_path, [*rows, "set/c.jpg,0,negative"], {"a.jpg": 240, "b.jpg": 20, "c.jpg": 240, "d.jpg": 255})
    outcomes, undecoded = w.examine(_Matcher(), w.read_cases(labels, tmp_path, unseen=None))  # type: ignore[arg-type]
    assert undecoded == []
    clean, blurred = w.rows(outcomes)
    assert (clean.code, clean.alarms.count, clean.alarms.total) == (WarningCode.SUCCESSFUL, 1, 1)
    assert (blurred.found.count, blurred.found.total) == (1, 2)
    assert (blurred.alarms.count, blurred.alarms.total) == (1, 2)
    assert blurred.not_assessed == 1
    report = w.page(outcomes, "Title", ["<note>"])
    assert "Misses of code 10 (1)" in report
    assert "False alarms of code 10 (1)" in report
    assert "&lt;note&gt;" in report
    assert 'src="data:image/jpeg;base64,' in report
    assert {entry["name"] for entry in w.as_data(outcomes)["wrong"]} == {"set/b.jpg", "set/c.jpg"}  # type: ignore[attr-defined]


def test_wilson_interval() -> None:
    low, high = w.Rate(8, 10).interval
    # Wilson (1927), as printed in textbooks for 8 of 10: 0.490 to 0.943.
    assert (round(low, 3), round(high, 3)) == (0.49, 0.943)
    assert w.Rate(0, 0).interval == (0.0, 1.0)
    assert math.isnan(w.Rate(0, 0).value)


def test_each_half_has_its_own_photos(tmp_path: Path) -> None:
    names = [f"{n:03d}.jpg" for n in range(40)]
    labels = _folder(tmp_path, [f"set/{name},9,mask" for name in names], {})
    halves = [{c.name for c in w.read_cases(labels, tmp_path, unseen=u)} for u in (True, False)]
    assert halves[0] == {f"set/{name}" for name in names if held_out(f"set/{name}")}
    assert halves[0].isdisjoint(halves[1])
    assert len(halves[0] | halves[1]) == 40
    assert len(w.read_cases(labels, tmp_path, unseen=None, limit=7)) == 7


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("set/a.jpg,99,positive", "the code is a number from 0 to 12"),
        ("set/a.jpg,x,negative", "the code is a number from 0 to 12"),
        ("set/a.jpg,0,positive", "its label is negative"),
        ("set/a.jpg,9,masked", "the label is positive or negative, not 'masked'"),
        ("set/a.jpg,9,", "the label is positive or negative, not ''"),
        ("set/a.jpg,7,positive,card", "code 7 is never raised on a card"),
        ("set/a.jpg,1,negative,portrait", "code 1 is never raised on a portrait"),
        ("../a.jpg,9,positive", "not a path in the data folder"),
    ],
)
@pytest.mark.parametrize("unseen", [True, False])
def test_rows_of_neither_form_are_told_by_their_line(tmp_path: Path, row: str, told: str, unseen: bool) -> None:
    labels = tmp_path / "labels.csv"
    # Rows without a path do not count as cases, but as lines.
    labels.write_text(f"path,code,label,role\n,9,positive,\n\n{row}\n", "utf-8")
    with pytest.raises(w.LabelError, match=rf"labels\.csv, line 4: .*{told}"):
        w.read_cases(labels, tmp_path, unseen=unseen)


@pytest.mark.parametrize(
    "content", ["file,code,label\na,9,positive\n", "path;code;label\na;9;positive\n", "", "path,code\na,9\n"]
)
def test_lists_without_the_columns_are_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "labels.csv").write_text(content, "utf-8")
    with pytest.raises(w.LabelError, match=r"labels\.csv: has no column (path|label)"):
        w.read_cases(tmp_path / "labels.csv", tmp_path, unseen=None)


def test_lists_of_spreadsheets_and_labels_in_any_case_are_read(tmp_path: Path) -> None:
    labels, left_out = tmp_path / "labels.csv", tmp_path / "wrong.csv"
    rows = "a.jpg,9,Negative,Portrait\r\nb.jpg,9,MASK,\r\nc.jpg,6/5/11,mixed_view,\r\n"
    labels.write_bytes(("\ufeffPath,Code,Label,Role\r\n" + rows).encode())
    cases = w.read_cases(labels, tmp_path, unseen=None)
    assert [(case.name, int(case.code), case.positive) for case in cases] == [("a.jpg", 9, False), ("b.jpg", 9, True)]
    left_out.write_bytes("\ufeffpath,code\r\n./a.jpg,9\r\n".encode())
    assert [case in w.read_left_out([left_out]) for case in cases] == [True, False]


def test_another_spelling_of_a_path_is_the_same_photo_in_the_same_half(tmp_path: Path) -> None:
    names = [f"set/{n:03d}.jpg" for n in range(40)]
    plain, dotted = (
        w.read_cases(_write(tmp_path, [f"{dots}{name},9,mask" for name in names]), tmp_path) for dots in ("", "./x/../")
    )
    assert [case.name for case in dotted] == [case.name for case in plain]


def test_what_is_said_twice_of_a_photo_counts_once(tmp_path: Path) -> None:
    rows = ["a.jpg,9,positive", "./a.jpg,9,positive", "b.jpg,8,hat_pseudo", "b.jpg,7,eyewear_pseudo_mostly_eyeglasses"]
    cases = w.read_cases(_write(tmp_path, rows), tmp_path, unseen=None)
    assert sorted((case.name, int(case.code)) for case in cases) == [
        ("a.jpg", 9),
        ("b.jpg", 7),
        ("b.jpg", 8),
        ("b.jpg", 9),
    ]
    assert w.once(cases * 2) == cases


def test_rows_that_contradict_each_other_are_told_even_in_the_other_half(tmp_path: Path) -> None:
    labels = _write(tmp_path, ["b.jpg,9,mask", "a.jpg,9,positive", "a.jpg,9,negative"])
    for unseen in (True, False):
        with pytest.raises(
            w.LabelError, match=r"labels\.csv: a\.jpg: code 9 is both positive and negative as portrait"
        ):
            w.read_cases(labels, tmp_path, unseen=unseen)


def test_the_development_list_contradicts_itself_nowhere(shared: Path) -> None:
    cases = w.read_cases(shared / "data" / "labels.csv", shared / "data", unseen=None)
    assert len(cases) == len({(case.name, case.code, case.role) for case in cases}) > 3000


def test_photos_that_are_not_there_are_told_by_name_and_number(tmp_path: Path) -> None:
    labels = _folder(tmp_path, [f"set/{name}.jpg,9,positive" for name in "abcdef"], {"a.jpg": 0})
    cases = w.read_cases(labels, tmp_path, unseen=None)
    w.require_files(cases[:1], tmp_path)
    with pytest.raises(
        w.LabelError, match=r"5 of 6 photos cannot be opened: set/b\.jpg, set/c\.jpg, set/d\.jpg \.\.\.$"
    ):
        w.require_files(cases, tmp_path)
    with pytest.raises(w.LabelError, match=r"set/b\.jpg: No such file"):
        w.examine(_Matcher(), cases[1:])  # type: ignore[arg-type]


def test_photos_that_cannot_be_decoded_are_named_once(tmp_path: Path) -> None:
    labels = _folder(tmp_path, ["set/a.jpg,10,positive", "set/b.jpg,10,positive", "set/b.jpg,1,positive"], {"a.jpg": 0})
    (tmp_path / "set" / "b.jpg").write_bytes(b"")
    outcomes, undecoded = w.examine(_Matcher(), w.read_cases(labels, tmp_path, unseen=None))  # type: ignore[arg-type]
    assert [o.case.name for o in outcomes] == ["set/a.jpg"]
    assert undecoded == ["set/b.jpg"]


def test_portraits_are_photos_of_a_folder_in_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "data" / "empty").mkdir(parents=True)
    for folder, told in (
        ("nosuch", "no such folder"),
        ("empty", "no photo"),
        ("../data/empty", "not a path in"),
        (str(tmp_path), "not a path in"),
    ):
        with pytest.raises(w.LabelError, match=told):
            w.ordinary_portraits(tmp_path / "data", folder)


def test_people_stay_on_one_side(tmp_path: Path) -> None:
    assert held_out("asian_faces/p02/001.jpg")
    assert not held_out("asian_faces/p03/001.jpg")
    assert held_out("lfw/A_B/A_B_0001.jpg", frozenset({"A_B"}))
    assert not held_out("lfw/C_D/C_D_0001.jpg", frozenset({"A_B"}))


def _case(name: str, code: int) -> w.Case:
    return w.Case(name, WarningCode(code), True, Role.PORTRAIT, "", False, lambda: b"")


def test_photos_are_left_out_of_all_codes_or_of_those_named(tmp_path: Path) -> None:
    every, some = tmp_path / "every.csv", tmp_path / "some.csv"
    every.write_text("path,why\na/1.jpg,a hat\nb/2.jpg,\n", "utf-8")
    some.write_text("path,code\nc/3.jpg,5/6\nd/4.jpg,8\na/1.jpg,8\nd/4.jpg,9\n", "utf-8")
    left_out = w.read_left_out([every, some])
    assert len(left_out) == 4
    gone = {(name, code) for name in ("a/1.jpg", "c/3.jpg", "d/4.jpg", "e/5.jpg") for code in (1, 5, 8, 9)}
    gone = {(name, code) for name, code in gone if _case(name, code) in left_out}
    assert gone == {*(("a/1.jpg", code) for code in (1, 5, 8, 9)), ("c/3.jpg", 5), ("d/4.jpg", 8), ("d/4.jpg", 9)}


def test_a_list_of_photos_to_leave_out_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    bad, odd = tmp_path / "bad.csv", tmp_path / "odd.csv"
    bad.write_text("file\na/1.jpg\n", "utf-8")
    with pytest.raises(w.LabelError, match="no column path"):
        w.read_left_out([bad])
    for code in ("five", "99", "7/-1"):
        odd.write_text(f"path,code\na/1.jpg,{code}\n", "utf-8")
        with pytest.raises(w.LabelError, match=r"odd\.csv, line 2: a code is a number"):
            w.read_left_out([odd])
    with pytest.raises(w.LabelError, match="cannot be read"):
        w.read_left_out([tmp_path / "none.csv"])


def test_a_labelled_photo_is_no_ordinary_portrait_even_if_the_limit_left_it_out(
    tmp_path: Path, facematch: Callable[..., Any]
) -> None:
    (tmp_path / "faces").mkdir()
    for name in ("a", "b"):
        (tmp_path / "faces" / f"{name}.jpg").write_bytes(encode_jpeg(np.zeros((8, 8, 3), np.uint8)))
    labels, left_out = tmp_path / "labels.csv", tmp_path / "wrong.csv"
    labels.write_text("path,code,label\nfaces/a.jpg,8,hat_pseudo\nfaces/b.jpg,8,hat_pseudo\n", "utf-8")
    left_out.write_text("path\nfaces/a.jpg\n", "utf-8")
    # The limit takes a.jpg, the list takes it away again; b.jpg has a label, so nothing is left.
    done = facematch(
        *("evaluate", "warnings", labels, "--half", "all", "--limit", 1, "--portraits", "faces"),
        *("--leave-out", left_out),
    )
    assert done.code != 0
    assert "no case" in done.err


def test_made_cases_are_the_same_each_time_and_say_what_they_are(tmp_path: Path, astronaut: NDArray[np.uint8]) -> None:
    files = [tmp_path / f"{name}.png" for name in ("one", "two", "table")]
    for number, file in enumerate(files):
        cv2.imwrite(str(file), np.ascontiguousarray(np.roll(astronaut, 40 * number, axis=1)))
    cases, again = (made_cases(files[:2], files[2:], 1) for _ in range(2))
    assert [case.name for case in cases] == [case.name for case in again]
    kinds = {(case.kind, int(case.code), case.positive) for case in cases}
    assert {("card without a portrait", 4, True), ("card without a portrait", 1, False)} <= kinds
    assert {("card with a grey portrait", 2, False), ("card on a table", 4, False)} <= kinds
    bare, other = (next(c for c in found if c.kind == "card without a portrait") for found in (cases, again))
    np.testing.assert_array_equal(bare.read(), other.read())
