"""When two boxes are about one face: the shares at which that begins."""

from __future__ import annotations

import numpy as np
import pytest

from facematch_local.faces import Face
from facematch_local.faces.overlap import distinct


def _boxed(left: float, top: float, right: float, bottom: float, score: float) -> Face:
    return Face(np.array([left, top, right, bottom], np.float32), np.zeros((5, 2), np.float32), score)


FIRST = _boxed(0, 0, 20, 20, 0.9)


@pytest.mark.parametrize(
    ("second", "count"),
    [
        ((10, 0, 30, 20), 2),  # of like size, half inside
        ((9, 0, 29, 20), 1),  # a little more than half
        ((12, 0, 22, 10), 2),  # a quarter of the size, 0.8 inside
        ((11, 0, 21, 10), 1),  # 0.9 inside
        ((0, 0, 10, 8), 2),  # a fifth of the size, wholly inside
        ((0, 0, 10, 9), 1),
        ((0, 0, 10, 16), 1),  # 0.4 of the size, wholly inside
        ((13, 0, 23, 16), 2),  # 0.4 of the size, 0.7 inside
        ((13, 0, 23, 17), 1),  # a little more
        ((100, 100, 120, 120), 2),  # elsewhere, in both directions
        ((100, 0, 120, 20), 2),
        ((0, 100, 20, 120), 2),
    ],
)
def test_where_a_second_box_becomes_the_same_face(second: tuple[float, float, float, float], count: int) -> None:
    other = _boxed(*second, score=0.8)
    assert len(distinct((FIRST, other))) == len(distinct((other, FIRST))) == count


def test_the_surer_box_stays() -> None:
    surer = _boxed(1, 1, 19, 19, 0.95)
    assert distinct((FIRST, surer)) == (surer,)


def test_what_stays_is_sorted_by_size() -> None:
    small, large, middle = _boxed(0, 0, 5, 5, 0.95), _boxed(50, 50, 99, 99, 0.6), _boxed(0, 50, 20, 70, 0.8)
    assert distinct((small, middle, large)) == (large, middle, small)


def test_each_box_is_compared_with_all_that_stay() -> None:
    copies = [_boxed(x, 0, x + 20, 20, 0.8) for x in (100, 1, 101)]
    assert distinct((FIRST, *copies)) == (FIRST, copies[0])


def test_one_face_and_none() -> None:
    assert distinct((FIRST,)) == (FIRST,)
    assert distinct(()) == ()
