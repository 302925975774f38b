"""What made cases are made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.evaluation.split import LabelError
from facematch_local.evaluation.warnings import report as w
from facematch_local.evaluation.warnings import synthetic_cases as warnings_made
from facematch_local.evaluation.warnings.synthetic_cases import made_cases, sources
from facematch_local.synthetic import cases as made


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


@pytest.fixture
def two() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Two portraits of one colour each."""
    return np.full((180, 160, 3), (200, 40, 40), np.uint8), np.full((240, 240, 3), (0, 220, 0), np.uint8)


@pytest.mark.parametrize("draw", [made.with_poster, made.on_shirt])
def test_a_picture_of_somebody_else_is_small_and_beside(draw: Any, two: tuple[NDArray[np.uint8], ...]) -> None:
    photo, other = two
    for seed in range(8):
        pixels = draw(photo, other, np.random.default_rng(seed))
        assert (pixels[: photo.shape[0], : photo.shape[1]] == photo).all()
        added = pixels.shape[0] * pixels.shape[1] - photo.shape[0] * photo.shape[1]
        assert 0 < added < photo.shape[0] * photo.shape[1]


@pytest.mark.parametrize("passport", [False, True])
def test_a_second_portrait_lies_on_the_card_across_from_the_first(
    passport: bool, two: tuple[NDArray[np.uint8], ...]
) -> None:
    for seed in range(12):
        card = made.draw_card(two[0], np.random.default_rng(seed), 600, passport)
        twice = made.with_second_portrait(card, two[1], np.random.default_rng(seed), (0.8, 0.8), (1.0, 1.0))
        changed = np.argwhere((twice.pixels != card.pixels).any(axis=2))
        (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0) + 1
        first_left, _, first_right, first_bottom = card.portrait
        assert right <= first_left or left >= first_right
        assert bottom == first_bottom
        assert (right - left) / (first_right - first_left) == pytest.approx(0.8, abs=0.02)
        assert (twice.pixels[top:bottom, left:right] == two[1][0, 0]).mean() > 0.95
