"""Code 10 as quality: over-exposed and very dark faces are detected, ordinary ones of any skin tone are not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.checks import Examination, Measure, Role, exposure
from facematch_local.checks.face_region import face_ellipse
from facematch_local.faces import Face
from facematch_local.imaging.luminance import histogram, luminance
from facematch_local.imaging.photo import Photo
from facematch_local.policy import load_policy, warnings

CHECKS = {
    "over_exposure": exposure.over_exposure,
    "under_exposure": exposure.under_exposure,
    "dynamic_range": exposure.dynamic_range,
}


def _measures(pixels: NDArray[np.uint8], face: Face, role: Role = Role.PORTRAIT) -> dict[str, Measure]:
    examination = Examination(Photo(pixels), role, (face,))
    return {name: check(examination) for name, check in CHECKS.items()}


def _brightened(pixels: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    return np.clip(pixels.astype(np.float32) * factor, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("factor", "codes"), [(1.0, ()), (1.3, ()), (0.4, ()), (4.0, (10,)), (0.04, (10,))])
def test_extreme_exposure_raises_code_10(
    photo: NDArray[np.uint8], astronaut_face: Face, role: Role, factor: float, codes: tuple[int, ...]
) -> None:
    measures = _measures(_brightened(photo, factor), astronaut_face, role)
    assert warnings(load_policy().judge(1, role, measures)) == codes


def test_the_shares_and_the_entropy_have_their_known_values(photo: NDArray[np.uint8], astronaut_face: Face) -> None:
    expected = {0: (0.0, 1.0, 0.0), 255: (1.0, 0.0, 0.0), 188: (0.0, 0.0, 0.0)}
    for value, values in expected.items():
        measures = _measures(np.full_like(photo, value), astronaut_face)
        assert tuple(measure.value for measure in measures.values()) == values
    examination = Examination(Photo(photo), Role.PORTRAIT, (astronaut_face,))
    shares = np.zeros(256)
    shares[[0, 25, 26, 100, 200, 246, 247, 255]] = 1 / 8
    vars(examination)["face_luminance"] = shares
    assert [check(examination).value for check in CHECKS.values()] == [0.25, 0.25, 3.0]


def test_the_limits_of_black_and_blown_are_those_of_the_standard() -> None:
    shares = np.zeros(256)
    shares[exposure.BLACK] = 1
    assert (shares.sum(), shares[25], shares[26]) == (26, 1, 0)
    shares[:] = 0
    shares[exposure.BLOWN] = 1
    assert (shares.sum(), shares[247], shares[246]) == (9, 1, 0)


def test_hair_and_background_do_not_count(photo: NDArray[np.uint8], astronaut_face: Face) -> None:
    left, top, right, bottom = (int(value) for value in astronaut_face.box)
    white = np.full_like(photo, 255)
    white[top:bottom, left:right] = photo[top:bottom, left:right]
    value = _measures(white, astronaut_face)["over_exposure"].value
    assert value is not None
    assert value < 0.15


def test_without_a_face_nothing_is_assessed() -> None:
    examination = Examination(Photo(np.zeros((64, 64, 3), np.uint8)), Role.PORTRAIT, ())
    assert {check(examination).reason for check in CHECKS.values()} == {"no face was found"}
    assert exposure.dynamic_range(examination).unit == "bit"


def test_luminance_is_proportional_to_light() -> None:
    colours = np.array([[[0, 0, 0], [255, 255, 255], [188, 188, 188], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    # sRGB 188 is half of the light; blue, green and red have the weights of BT.709.
    assert luminance(colours).tolist() == [[0, 255, 128, 18, 182, 54]]


def test_the_histogram_counts_masked_pixels_only() -> None:
    grey = np.array([[1, 1, 7]], np.uint8)
    shares = histogram(grey, np.array([[True, False, True]]))
    assert shares.shape == (256,)
    assert (shares[1], shares[7], shares.sum()) == (0.5, 0.5, 1.0)
    assert histogram(grey, np.zeros((1, 3), bool)).sum() == 0


def test_the_ellipse_lies_on_the_face_of_the_crop() -> None:
    ellipse = face_ellipse()
    rows, columns = np.nonzero(ellipse)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (50, 99, 36, 76)
    assert ellipse.sum() == pytest.approx(np.pi * 20.4 * 25.2, rel=0.02)
    assert np.array_equal(ellipse[:, 1:], ellipse[:, :0:-1])
