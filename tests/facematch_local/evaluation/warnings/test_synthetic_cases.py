"""The photos that synthetic cases are drawn from, and the cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

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


DRAWN: Final = {
    "card scanned": (800, 563, 174.3, 184.7, 206.4, 44.3),
    "card scanned, compressed twice": (800, 563, 192.1, 191.5, 172.1, 46.7),
    "card on a table": (900, 900, 77.9, 74.0, 94.3, 54.4),
    "card with a grey portrait": (900, 900, 126.2, 129.1, 143.0, 74.7),
    "card without a portrait": (800, 563, 216.5, 189.5, 199.7, 27.1),
    "card without a portrait on a table": (1300, 1300, 107.6, 108.3, 120.4, 60.2),
    "grey copy on a table": (900, 900, 96.8, 96.3, 122.8, 64.0),
    "card with a ghost portrait": (600, 422, 171.9, 188.5, 194.3, 49.4),
    "card with two people": (800, 563, 202.1, 171.7, 175.2, 54.0),
    "portrait swapped, paste": (1000, 704, 196.2, 179.5, 179.5, 50.0),
    "portrait swapped, blended": (1000, 704, 183.4, 196.8, 184.2, 45.8),
    "portrait swapped, recompressed": (1000, 704, 181.3, 176.4, 202.6, 52.8),
    "text edited": (600, 422, 185.9, 165.7, 162.6, 39.8),
    "recaptured from a screen": (700, 700, 131.5, 131.1, 155.1, 61.7),
    "recaptured from a print": (700, 700, 101.4, 109.1, 132.8, 56.1),
    "blurred": (180, 180, 96.4, 105.7, 141.6, 60.2),
    "moved": (180, 180, 96.4, 105.7, 141.5, 70.6),
    "scaled to a tiny face": (99, 99, 96.5, 105.8, 141.6, 77.9),
    "face at the border": (180, 119, 113.6, 122.8, 151.2, 74.5),
    "two people": (360, 180, 96.5, 105.8, 141.6, 79.9),
    "bystander far behind": (243, 180, 101.6, 109.3, 139.1, 72.7),
    "poster on the wall": (268, 180, 101.6, 126.7, 152.4, 78.6),
    "face on a shirt": (180, 280, 123.3, 138.9, 165.1, 82.5),
}
"""Width, height, mean of B, G and R, and standard deviation of the drawing of each kind."""


@pytest.mark.slow
def test_drawings_stay_the_same_so_that_figures_can_be_repeated(cases: Callable[[], list[c.Case]]) -> None:
    reads = {case.kind: case.read for case in cases()}
    assert set(reads) == set(DRAWN)
    for kind, read in reads.items():
        pixels = np.asarray(read())
        assert pixels.dtype == np.uint8
        found = (pixels.shape[1], pixels.shape[0], *pixels.mean(axis=(0, 1)), pixels.std())
        # Other versions of OpenCV and Pillow may round and set type a little differently.
        assert found == pytest.approx(DRAWN[kind], abs=0.3), kind
