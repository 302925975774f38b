"""Measures of one face, pinned on a face with known landmarks."""

from __future__ import annotations

import numpy as np
import pytest

from facematch_local.faces import Face, cosine, head_axes, portrait_corners

LANDMARKS = np.array([(80, 100), (120, 100), (105, 120), (90, 150), (110, 150)], np.float32)
FACE = Face(np.array([60, 70, 150, 190], np.float32), LANDMARKS, 0.9)


def _embedded(*values: float) -> Face:
    return Face(FACE.box, LANDMARKS, 0.9, np.array(values, np.float32))


def test_the_box() -> None:
    assert (FACE.width, FACE.height, FACE.area) == (90.0, 120.0, 10800.0)
    assert Face(np.array([60, 70, 50, 60], np.float32), LANDMARKS, 0.9).area == 0.0


def test_the_eyes() -> None:
    assert FACE.eye_midpoint.tolist() == [100.0, 100.0]
    assert FACE.inter_eye_distance == pytest.approx(0.866 * 50)  # eyes to mouth, longer than from eye to eye
    wide = LANDMARKS * np.array([3, 1], np.float32)
    assert Face(FACE.box, wide, 0.9).inter_eye_distance == pytest.approx(120.0)


@pytest.mark.parametrize(("turn", "roll"), [((1, 0, 0, 1), 0), ((0, 1, -1, 0), 90), ((0, -1, 1, 0), -90)])
def test_the_axes_of_the_head(turn: tuple[int, ...], roll: float) -> None:
    matrix = np.array(turn, np.float32).reshape(2, 2)
    face = Face(FACE.box, LANDMARKS @ matrix, 0.9)
    assert head_axes(face) == pytest.approx(np.array([(1, 0), (0, 1)]) @ matrix)
    assert face.roll == pytest.approx(roll)


def test_both_mouth_corners_and_both_eyes_give_the_axes() -> None:
    """The mouth is moved by 10 to the right: 10 and 40 + 50 are the sums of both directions."""
    moved = LANDMARKS + np.array([(0, 0), (0, 0), (0, 0), (10, 0), (10, 0)], np.float32)
    length = np.hypot(90, 10)
    assert head_axes(Face(FACE.box, moved, 0.9)) == pytest.approx(np.array([(90, -10), (10, 90)]) / length)
    corner = LANDMARKS + np.array([(0, 0), (0, 0), (0, 0), (0, 0), (20, 0)], np.float32)
    assert head_axes(Face(FACE.box, corner, 0.9)) == pytest.approx(np.array([(90, -10), (10, 90)]) / length)


def test_landmarks_without_a_direction_are_level() -> None:
    assert head_axes(Face(FACE.box, np.full((5, 2), 40, np.float32), 0.9)).tolist() == [[1, 0], [0, 1]]


def test_the_portrait_around_a_face() -> None:
    unit = 0.866 * 50
    expected = np.array([(-3.2, -2.6), (3.2, -2.6), (3.2, 3.4), (-3.2, 3.4)]) * unit + 100
    assert portrait_corners(FACE) == pytest.approx(expected, abs=1e-3)
    assert portrait_corners(FACE).dtype == np.float32


def test_a_cosine_needs_both_embeddings() -> None:
    assert cosine(_embedded(1, 0), _embedded(0.6, 0.8)) == pytest.approx(0.6)
    assert cosine(_embedded(2, 0), _embedded(2, 0)) == 1.0
    assert cosine(_embedded(2, 0), _embedded(-2, 0)) == -1.0
    for faces in ((FACE, _embedded(1, 0)), (_embedded(1, 0), FACE), (FACE, FACE)):
        with pytest.raises(ValueError, match="embedded"):
            cosine(*faces)
