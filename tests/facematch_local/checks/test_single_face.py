"""Codes 4, 5, 6: the photo shows a face, and no second person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facematch_local.calibration import GENERIC, Calibration
from facematch_local.checks import Examination, Role
from facematch_local.checks.examination import GHOST_PERCENT
from facematch_local.checks.single_face import face_confidence, single_face
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo

LANDMARKS = np.array([(140, 120), (220, 120), (180, 160), (150, 200), (210, 200)], np.float32)
MAIN = Face(np.array([100, 50, 300, 250], np.float32), LANDMARKS, 0.8)


def _examined(role: Role, *faces: Face) -> Examination:
    return Examination(Photo(np.zeros((500, 700, 3), np.uint8)), role, faces)


def _second(side: float) -> Face:
    return Face(np.array([400, 50, 400 + side, 50 + side], np.float32), LANDMARKS, 0.7)


def _embedded(face: Face, cosine: float) -> Face:
    """The face with an embedding at this cosine to (1, 0)."""
    return replace(face, embedding=np.array([cosine, (1 - cosine**2) ** 0.5], np.float32))


def _cosine_at(percent: float) -> float:
    values = np.linspace(-1, 1, 20001)
    return float(values[np.argmax([GENERIC.percent(float(value)) >= percent for value in values])])


def test_the_confidence_of_the_largest_face() -> None:
    assert face_confidence(_examined(Role.CARD, MAIN, _second(100))).value == pytest.approx(0.8)
    assert face_confidence(_examined(Role.CARD)).value == 0.0


@pytest.mark.parametrize("role", list(Role))
def test_the_ratio_of_areas(role: Role) -> None:
    assert single_face(_examined(role, MAIN)).value == 0.0
    assert single_face(_examined(role, MAIN, _second(100))).value == pytest.approx(0.25)
    assert single_face(_examined(role, MAIN, _second(150), _second(100))).value == pytest.approx(0.5625)
    assert single_face(_examined(role)).reason == "no face was found"


def test_a_ghost_portrait_on_a_card_does_not_count() -> None:
    mark = _cosine_at(GHOST_PERCENT)
    main = _embedded(MAIN, 1.0)
    for cosine, ghost in ((mark + 0.01, True), (mark - 0.01, False)):
        second = _embedded(_second(100), cosine)
        assert single_face(_examined(Role.CARD, main, second)).value == pytest.approx(0.0 if ghost else 0.25)
        assert single_face(_examined(Role.PORTRAIT, main, second)).value == pytest.approx(0.25)


def test_from_46_percent_two_faces_are_prints_of_one_portrait() -> None:
    assert GHOST_PERCENT == 46.0
    second = replace(_second(100), embedding=np.array([1.0, 0.0], np.float32))
    for percent, ghost in ((45.5, False), (46.5, True)):
        curve = Calibration("flat", (0.0, 0.9, 1.0), (0.0, percent - 0.01, 100.0))
        main = replace(MAIN, embedding=np.array([0.9, 0.19**0.5], np.float32))
        examination = Examination(Photo(np.zeros((9, 9, 3), np.uint8)), Role.CARD, (main, second), calibration=curve)
        assert (single_face(examination).value == 0.0) is ghost
        for limit, other in ((percent - 0.1, True), (percent + 0.1, False)):
            assert (single_face(replace(examination, ghost_percent=limit)).value == 0.0) is other


def test_a_face_without_an_embedding_is_not_a_ghost() -> None:
    embedded = _embedded(MAIN, 1.0), _embedded(_second(100), 1.0)
    for faces in ((embedded[0], _second(100)), (MAIN, embedded[1]), (MAIN, _second(100))):
        assert single_face(_examined(Role.CARD, *faces)).value == pytest.approx(0.25)
