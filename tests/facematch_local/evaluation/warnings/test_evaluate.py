"""A run: the selection of cases, and photos that cannot be read or decoded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facematch_local.checks import Role
from facematch_local.evaluation.table_file import InputError
from facematch_local.evaluation.warnings.evaluate import Request, evaluate, examine, select


def test_a_photo_is_examined_once_in_each_role(
    tmp_path: Path, write_labels: Callable[..., Path], write_grey: Callable[..., None], matcher: Any
) -> None:
    write_grey({"a.jpg": 240, "b.jpg": 20})
    labels = write_labels("a.jpg,0/10/12,negative", "a.jpg,1/2,positive", "b.jpg,10,positive")
    ticks: list[None] = []
    results = evaluate(matcher, select(Request(labels, tmp_path)), lambda: ticks.append(None))
    assert matcher.examined == [Role.PORTRAIT, Role.CARD, Role.PORTRAIT]
    assert len(ticks) == 3
    raised = {(result.case.name, int(result.case.code)): result.raised for result in results.cases}
    assert raised == {
        ("a.jpg", 0): True, ("a.jpg", 10): True, ("a.jpg", 12): False,
        ("a.jpg", 1): False, ("a.jpg", 2): False, ("b.jpg", 10): False,
    }  # fmt: skip
    assert results.undecoded == []


def test_photos_that_cannot_be_decoded_are_named_once(
    tmp_path: Path, write_labels: Callable[..., Path], write_grey: Callable[..., None], matcher: Any
) -> None:
    write_grey({"a.jpg": 0})
    (tmp_path / "b.jpg").write_bytes(b"")
    labels = write_labels("a.jpg,10,positive", "b.jpg,10,positive", "b.jpg,1,positive")
    results = evaluate(matcher, select(Request(labels, tmp_path)))
    assert [result.case.name for result in results.cases] == ["a.jpg"]
    assert results.undecoded == ["b.jpg"]
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    with pytest.raises(InputError, match=r"no photo could be decoded: a\.jpg, b\.jpg"):
        evaluate(matcher, select(Request(labels, tmp_path)))


def test_a_photo_that_vanishes_during_the_run_is_named(
    tmp_path: Path, write_labels: Callable[..., Path], write_grey: Callable[..., None], matcher: Any
) -> None:
    write_grey({"a.jpg": 0})
    selection = select(Request(write_labels("a.jpg,9,positive"), tmp_path))
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(InputError, match=r"a\.jpg: No such file"):
        examine(matcher, selection.cases)


def test_a_labelled_photo_is_not_an_ordinary_portrait_even_if_the_limit_left_it_out(
    tmp_path: Path, write_labels: Callable[..., Path], write_grey: Callable[..., None]
) -> None:
    write_grey({"faces/a.jpg": 0, "faces/b.jpg": 0})
    labels = write_labels("faces/a.jpg,8,positive", "faces/b.jpg,8,positive")
    (tmp_path / "wrong.csv").write_text("path\nfaces/a.jpg\n", "utf-8")
    # The limit takes a.jpg, the list removes it again; b.jpg has a label, so no case is left.
    with pytest.raises(InputError, match="no case"):
        select(Request(labels, tmp_path, ["faces"], limit=1, leave_out=[tmp_path / "wrong.csv"]))
    selection = select(Request(labels, tmp_path, ["faces"], limit=1))
    assert ([case.name for case in selection.cases], selection.left_out) == (["faces/a.jpg"], 0)


def test_the_figures_by_kind_are_asked_for_where_kinds_are_named(
    tmp_path: Path, write_labels: Callable[..., Path], write_grey: Callable[..., None]
) -> None:
    write_grey({"a.jpg": 0, "faces/b.jpg": 0})
    assert not select(Request(write_labels("a.jpg,9,positive"), tmp_path)).by_kind
    assert select(Request(tmp_path / "labels.csv", tmp_path, ["faces"])).by_kind
    assert select(Request(write_labels("a.jpg,9,positive,red", columns="path,code,label,kind"), tmp_path)).by_kind


def test_synthetic_cases_avoid_backgrounds_that_are_left_out(
    tmp_path: Path, write_labels: Callable[..., Path], write_grey: Callable[..., None]
) -> None:
    write_grey(dict.fromkeys(("faces/anna/1.jpg", "faces/ben/1.jpg", "table.jpg", "menu.jpg"), 0))
    labels = write_labels("table.jpg,1,positive", "menu.jpg,1,positive")
    request = Request(labels, tmp_path, ["faces"], synthetic=1)
    synthetic = [case for case in select(request).cases if case.synthetic]
    assert len({case.name for case in synthetic}) == len({case.kind for case in synthetic}) > 20
    (tmp_path / "wrong.csv").write_text("path,code\ntable.jpg,5\nmenu.jpg,1\n", "utf-8")
    with pytest.raises(InputError, match="the lists have 2 and 0"):
        select(Request(labels, tmp_path, ["faces"], synthetic=1, leave_out=[tmp_path / "wrong.csv"]))
