"""Code 11: the size of the face in pixels of the original photo and as a share of its height."""

from __future__ import annotations

import numpy as np
import pytest

from facematch_local.checks import Examination, Role
from facematch_local.checks.face_size import head_size, inter_eye_distance
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo

FACE = Face(
    np.array([100, 50, 260, 300], np.float32),
    np.array([(140, 120), (220, 120), (180, 160), (150, 200), (210, 200)], np.float32),
    0.9,
)


def _examined(scale: float, *faces: Face) -> Examination:
    return Examination(Photo(np.zeros((500, 400, 3), np.uint8), scale), Role.PORTRAIT, faces)


@pytest.mark.parametrize(("scale", "pixels"), [(1.0, 80.0), (0.5, 160.0), (0.25, 320.0)])
def test_the_unit_is_pixels_of_the_original_photo(scale: float, pixels: float) -> None:
    measure = inter_eye_distance(_examined(scale, FACE))
    assert measure.value == pytest.approx(pixels)
    assert measure.unit == "px"


def test_the_head_over_the_height_of_the_photo() -> None:
    assert head_size(_examined(0.5, FACE)).value == pytest.approx(250 / 500)


def test_the_largest_face_counts() -> None:
    small = Face(FACE.box / 4, FACE.landmarks / 4, 0.9)
    assert inter_eye_distance(_examined(1.0, FACE, small)).value == pytest.approx(80.0)


@pytest.mark.parametrize("check", [inter_eye_distance, head_size])
def test_no_face_is_not_assessed(check: object) -> None:
    measure = check(_examined(1.0))  # type: ignore[operator]
    assert (measure.value, measure.reason) == (None, "no face was found")
