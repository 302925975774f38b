"""The part of a photo in the box of a face."""

from __future__ import annotations

import numpy as np
import pytest

from facematch_local.faces import Face
from facematch_local.faces.box_part import box_part
from facematch_local.imaging.photo import Photo
from facematch_local.matcher import face_crop

PIXELS = np.arange(30 * 40 * 3).reshape(30, 40, 3).astype(np.uint8)


def face(*box: float) -> Face:
    return Face(np.array(box, np.float32), np.zeros((5, 2), np.float32), 0.9)


@pytest.mark.parametrize(
    ("box", "margin", "rows", "columns"),
    [
        ((4.4, 5.6, 20.4, 15.6), 0.0, (6, 16), (4, 20)),
        ((10, 10, 20, 18), 0.25, (8, 20), (8, 22)),  # 2.5 is rounded to the even 2 on both sides
        ((8, 4, 16, 14), 0.5, (0, 19), (4, 20)),
        ((-8, -9, 50, 60), 0.5, (0, 30), (0, 40)),
        ((30, 20, 38, 28), 0.5, (16, 30), (26, 40)),
        ((-20, 5, -10, 15), 0.0, (5, 15), (0, 0)),
        ((5, 35, 15, 45), 0.0, (30, 30), (5, 15)),
        ((10, 10, 10, 10), 0.25, (10, 10), (10, 10)),
    ],
)
def test_edges_are_rounded_and_clipped(
    box: tuple[float, ...], margin: float, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    assert np.array_equal(box_part(PIXELS, face(*box), margin), PIXELS[slice(*rows), slice(*columns)])


def test_without_a_margin_it_is_the_box() -> None:
    assert np.array_equal(box_part(PIXELS, face(8, 4, 16, 14)), PIXELS[4:14, 8:16])


def test_a_crop_is_a_copy_and_never_empty() -> None:
    photo = Photo(PIXELS.copy())
    assert face_crop(photo, face(10, 10, 20, 18)).shape == (12, 14, 3)
    face_crop(photo, face(10, 10, 20, 18))[:] = 0
    assert np.array_equal(photo.pixels, PIXELS)
    for outside in ((-20, 5, -10, 15), (5, 35, 15, 45), (50, 50, 60, 60), (10, 10, 10, 10)):
        assert face_crop(photo, face(*outside)).shape == (1, 1, 3)
