"""The photos that synthetic cases are drawn from, and the cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.checks import Role
from facematch_local.evaluation.table_file import InputError
from facematch_local.evaluation.warnings import cases as c
from facematch_local.evaluation.warnings import synthetic_cases as module
from facematch_local.evaluation.warnings.synthetic_cases import Scene, sources, synthetic_cases


def _used(monkeypatch: pytest.MonkeyPatch, people: int, backgrounds: int, count: int) -> list[Scene]:
    """The scene of each round."""
    used: list[Scene] = []

    def kinds(scene: Scene) -> list[object]:
        used.append(scene)
        return []

    monkeypatch.setattr(module.Scene, "kinds", kinds)
    synthetic_cases([Path(f"p{n}") for n in range(people)], [Path(f"g{n}") for n in range(backgrounds)], count)
    return used


@pytest.mark.parametrize(("people", "backgrounds"), [(2, 1), (3, 2), (7, 5), (14, 10), (21, 15), (30, 35), (6, 3)])
def test_two_people_always_and_all_photos_are_used(
    monkeypatch: pytest.MonkeyPatch, people: int, backgrounds: int
) -> None:
    used = _used(monkeypatch, people, backgrounds, max(people, backgrounds))
    assert all(scene.own != scene.other for scene in used)
    assert len({scene.own for scene in used}) == people
    assert len({scene.background for scene in used}) == backgrounds
    assert used == _used(monkeypatch, people, backgrounds, max(people, backgrounds))
    assert [scene.passport for scene in used] == [index % 3 == 0 for index in range(len(used))]


def test_one_portrait_of_each_person_and_photos_without_a_document_are_the_sources(
    tmp_path: Path, write_labels: Callable[..., Path], write_grey: Callable[..., None]
) -> None:
    write_grey(dict.fromkeys(("faces/anna/1.jpg", "faces/anna/2.jpg", "faces/ben/1.jpg"), 0))
    labels = write_labels(
        "p01/1.jpg,0,negative,carl", "p01/2.jpg,0,negative,carl", "flat/1.jpg,0,negative,", "flat/2.jpg,0,negative,",
        "table/1.jpg,1,positive,", "table/2.jpg,1/5,positive,", "table/3.jpg,1,negative,", "flat/2.jpg,1,positive,",
        columns="path,code,label,subject",
    )  # fmt: skip
    cases = c.read_cases(labels, tmp_path) + c.ordinary_portraits(tmp_path, "faces")
    portraits, backgrounds = sources(cases)
    assert portraits == ["p01/1.jpg", "faces/anna/1.jpg", "faces/ben/1.jpg"]
    one_known = [case for case in cases if case.name.startswith(("flat", "p01"))]
    # Two people are needed, so portraits of unknown people are used beside the known one.
    assert sources(one_known)[0] == ["p01/1.jpg", "flat/1.jpg", "flat/2.jpg"]
    # A portrait is not a document either, but it is not a background.
    assert backgrounds == ["table/1.jpg", "table/2.jpg"]


@pytest.mark.parametrize(("portraits", "backgrounds"), [(["a"], ["g"]), (["a", "a"], ["g"]), (["a", "b"], [])])
def test_too_few_sources_are_refused(portraits: list[str], backgrounds: list[str]) -> None:
    with pytest.raises(InputError, match=r"portraits of two people .* photo without a document"):
        synthetic_cases([Path(name) for name in portraits], [Path(name) for name in backgrounds], 1)


@pytest.fixture
def cases(tmp_path: Path, astronaut: NDArray[np.uint8]) -> Callable[[], list[c.Case]]:
    files = [tmp_path / f"{name}.png" for name in ("one", "two", "table")]
    for number, file in enumerate(files):
        small = cv2.resize(np.roll(astronaut, 40 * number, axis=1), (180, 180), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(file), small)
    return lambda: synthetic_cases(files[:2], files[2:], 1)


def test_cases_say_what_they_are(cases: Callable[[], list[c.Case]]) -> None:
    kinds = {(case.kind, int(case.code), case.positive) for case in cases()}
    assert {("card without a portrait", 4, True), ("card without a portrait", 1, False)} <= kinds
    assert {("card with a grey portrait", 2, False), ("card on a table", 4, False)} <= kinds
    assert {(f"portrait swapped, {swap}", 3, True) for swap in ("paste", "blended", "recompressed")} <= kinds
    assert {
        ("two people", 6, True),
        ("poster on the wall", 6, False),
        ("card with a ghost portrait", 6, False),
    } <= kinds
    for case in cases():
        assert case.name == f"synthetic/{case.kind} 0"
        assert (case.synthetic, case.subject) == (True, "")
        assert case.role is (Role.CARD if case.code <= 4 or "card" in case.kind else Role.PORTRAIT)


def test_a_case_is_the_same_each_time(cases: Callable[[], list[c.Case]]) -> None:
    first, again = ({case.name: case.read for case in cases()} for _ in range(2))
    for name in ("synthetic/card without a portrait 0", "synthetic/moved 0"):
        np.testing.assert_array_equal(np.asarray(first[name]()), np.asarray(again[name]()))


@pytest.mark.slow
def test_every_case_can_be_drawn_and_differs_from_the_others(cases: Callable[[], list[c.Case]]) -> None:
    reads = {case.name: case.read for case in cases()}
    drawn = [np.asarray(read()) for read in reads.values()]
    assert all(pixels.dtype == np.uint8 and pixels.ndim == 3 for pixels in drawn)
    assert len({pixels.tobytes() for pixels in drawn}) == len(drawn) > 20
