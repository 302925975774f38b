"""The picture of `facematch compare --save-picture`: the words beside the crops."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.cli.picture import CROP, GAP, HEAD, NOTES_WIDTH, PANEL, draw, notes
from facematch_local.matcher import FaceMatcher
from facematch_local.result import MatchResult


@pytest.fixture(scope="module")
def without_a_face(matcher: FaceMatcher, astronaut_jpeg: bytes, encode: object) -> MatchResult:
    blank = np.full((200, 300, 3), 90, np.uint8)
    return matcher.match(encode(blank, "PNG"), astronaut_jpeg, "card")  # type: ignore[operator]


def test_each_warning_has_its_text_and_its_measure(without_a_face: MatchResult) -> None:
    words = " ".join(note.text for note in notes(without_a_face, 1))
    assert "1  The ID card photo is not existed" in words
    assert "4  The ID card photo does not contain a face face confidence 0, allowed at least " in words
    found = [f for f in without_a_face.findings if f.image == 1 and f.outcome.value == "warning"]
    assert len(found) >= 2
    assert all(f.name.replace("_", " ") in words for f in found)


def test_a_good_photo_has_no_warning(without_a_face: MatchResult) -> None:
    assert [note.text for note in notes(without_a_face, 2)] == ["no warning"]


def test_every_line_fits(without_a_face: MatchResult) -> None:
    from PIL import ImageFont

    lines = notes(without_a_face, 1)
    assert all(ImageFont.load_default(note.size).getlength(note.text) <= NOTES_WIDTH for note in lines)


def test_the_picture_grows_with_the_number_of_lines(
    without_a_face: MatchResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    least = HEAD + PANEL + CROP + 3 * GAP
    assert draw(without_a_face).shape == (least, 2 * PANEL + 3 * GAP, 3)
    many = [*notes(without_a_face, 1)] * 4
    monkeypatch.setattr("facematch_local.cli.picture.notes", lambda *_: many)
    taller: NDArray[np.uint8] = draw(without_a_face)
    assert taller.shape[0] > least
    # The last line is drawn, not cut off.
    assert (taller[-GAP * 3 :, :] < 200).any()
