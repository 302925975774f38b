"""What made cases are made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facematch_local.evaluation import warnings as w
from facematch_local.evaluation import warnings_made
from facematch_local.evaluation.split import LabelError
from facematch_local.evaluation.warnings_made import made_cases, sources


def _labels(tmp_path: Path, rows: str) -> list[w.Case]:
    (tmp_path / "labels.csv").write_text("path,code,label\n" + rows, "utf-8")
    return w.read_cases(tmp_path / "labels.csv", tmp_path, unseen=None)


def _used(monkeypatch: pytest.MonkeyPatch, people: int, grounds: int, count: int) -> list[tuple[Path, Path, Path]]:
    """Own portrait, the other one and the ground of each made case."""
    used: list[tuple[Path, Path, Path]] = []

    def kinds(own: Path, other: Path, ground: Path, index: int) -> Iterator[object]:
        used.append((own, other, ground))
        return iter(())

    monkeypatch.setattr(warnings_made, "_kinds", kinds)
    made_cases([Path(f"p{n}") for n in range(people)], [Path(f"g{n}") for n in range(grounds)], count)
    return used


@pytest.mark.parametrize(("people", "grounds"), [(2, 1), (3, 2), (7, 5), (14, 10), (21, 15), (30, 35), (6, 3)])
def test_two_people_always_and_all_are_used(monkeypatch: pytest.MonkeyPatch, people: int, grounds: int) -> None:
    used = _used(monkeypatch, people, grounds, max(people, grounds))
    assert all(own != other for own, other, _ in used)
    assert len({own for own, _, _ in used}) == people
    assert len({ground for _, _, ground in used}) == grounds
    assert used == _used(monkeypatch, people, grounds, max(people, grounds))


def test_one_portrait_of_each_person_and_photos_without_a_document_are_the_sources(tmp_path: Path) -> None:
    for name in ("anna/1.jpg", "anna/2.jpg", "ben/1.jpg"):
        (tmp_path / "faces" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "faces" / name).touch()
    cases = _labels(
        tmp_path,
        "p01/1.jpg,0,negative\np01/2.jpg,0,negative\nflat/1.jpg,0,negative\nflat/2.jpg,0,negative\n"
        "table/1.jpg,1,positive\ntable/2.jpg,1/5,no_card_mostly_no_face\ntable/3.jpg,1,negative\n"
        "flat/2.jpg,1,positive\n",
    )
    cases += w.ordinary_portraits(tmp_path, "faces", unseen=None)
    portraits, grounds = sources(cases)
    assert portraits == ["p01/1.jpg", "faces/anna/1.jpg", "faces/ben/1.jpg"]
    unknown = [case for case in cases if case.name.startswith(("flat", "p01"))]
    assert sources(unknown)[0] == ["p01/1.jpg", "flat/1.jpg", "flat/2.jpg"]  # of one person alone nothing can be made
    # A portrait is no document either, but no ground.
    assert grounds == ["table/1.jpg", "table/2.jpg"]


@pytest.mark.parametrize(("portraits", "grounds"), [(["a"], ["g"]), (["a", "a"], ["g"]), (["a", "b"], [])])
def test_what_made_cases_need_is_told(portraits: list[str], grounds: list[str]) -> None:
    with pytest.raises(LabelError, match=r"portraits of two people .* photo without a document"):
        made_cases([Path(name) for name in portraits], [Path(name) for name in grounds], 1)
