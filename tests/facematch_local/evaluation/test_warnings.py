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
from facematch_local.evaluation import warnings as w
from facematch_local.evaluation.split import held_out
from facematch_local.evaluation.warnings_made import made_cases
from facematch_local.images import encode_jpeg
from facematch_local.policy import load_policy


class _Matcher:
    """Measures blur as the photo's first pixel says, so that outcomes are known beforehand."""

    def examine(self, image: bytes, role: Role) -> tuple[None, Any]:
        from facematch_local.images import decode

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


def test_hits_misses_and_false_alarms_are_counted(tmp_path: Path) -> None:
    rows = ["set/a.jpg,10,positive", "set/b.jpg,10,positive", "set/c.jpg,10,negative", "set/d.jpg,10,negative"]
    labels = _folder(tmp_path, [*rows, "set/c.jpg,0,negative"], {"a.jpg": 240, "b.jpg": 20, "c.jpg": 240, "d.jpg": 255})
    outcomes = w.examine(_Matcher(), w.read_cases(labels, tmp_path, unseen=None))  # type: ignore[arg-type]
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


@pytest.mark.parametrize("row", ["set/a.jpg,99,positive", "set/a.jpg,x,negative", "set/a.jpg,0,positive"])
def test_rows_of_neither_form_are_told(tmp_path: Path, row: str) -> None:
    labels = _folder(tmp_path, [row], {})
    with pytest.raises(w.LabelError):
        w.read_cases(labels, tmp_path, unseen=None)


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
    odd.write_text("path,code\na/1.jpg,five\n", "utf-8")
    with pytest.raises(w.LabelError, match="no column path"):
        w.read_left_out([bad])
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
    assert made_cases(files[:1], files[2:], 1) == []
