"""Code 12: the distance of the face's outline from the border, for a drawn face with known landmarks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.checks import Examination, Role
from facematch_local.checks.crop import crop
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo

EYES = 100.0  # pixels between the eyes
# Relative to the midpoint between the eyes; with the mouth this low, the eyes determine the distance.
LANDMARKS = np.array([(-50, 0), (50, 0), (0, 50), (-35, 100), (35, 100)], np.float64)
BOX = np.array([(-80, -60), (80, 160)], np.float64)
WIDTH, HEIGHT = 1000, 800


def _examined(middle: tuple[float, float], degrees: float = 0.0, nearer: float = 1.0) -> Examination:
    """A face with its eyes around `middle`, turned clockwise, its landmarks squeezed across by `nearer`."""
    angle = math.radians(degrees)
    turn = np.array([(math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))])
    landmarks = (LANDMARKS * (nearer, 1.0)) @ turn + middle
    corners = np.array([(x, y) for x in BOX[:, 0] for y in BOX[:, 1]]) @ turn + middle
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    face = Face(box.astype(np.float32), landmarks.astype(np.float32), 0.9)
    pixels: NDArray[np.uint8] = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    return Examination(Photo(pixels), Role.PORTRAIT, (face,))


def _value(examination: Examination) -> float:
    value = crop(examination).value
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("middle", "expected"),
    [
        ((500, 200), 200 / EYES - 1.1),  # the forehead is nearest to the border
        ((500, 600), 200 / EYES - 1.75),  # the chin
        ((150, 400), 150 / EYES - 1.05),  # the cheek at the left
        ((850, 400), 150 / EYES - 1.05),  # the cheek at the right
        ((500, 60), 60 / EYES - 1.1),  # cut at the forehead: negative
        ((500, 780), 20 / EYES - 1.75),  # cut at the mouth
    ],
)
def test_the_outline_of_an_upright_face(middle: tuple[float, float], expected: float) -> None:
    assert _value(_examined(middle)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("degrees", "middle", "expected"),
    [
        (90, (200, 400), 200 / EYES - 1.75),  # the chin points to the left
        (90, (800, 400), 200 / EYES - 1.1),
        (180, (500, 200), 200 / EYES - 1.75),  # the chin points up
        (30, (500, 600), 200 / EYES - 1.75 * math.cos(math.radians(30))),
    ],
)
def test_the_outline_turns_with_the_head(degrees: float, middle: tuple[float, float], expected: float) -> None:
    assert _value(_examined(middle, degrees)) == pytest.approx(expected, abs=1e-3)


def test_in_profile_the_box_gives_the_position_of_the_head() -> None:
    """The eyes coincide at the edge of the head; the eye-to-mouth distance gives the unit."""
    unit = 0.866 * 100
    assert _value(_examined((140, 400), nearer=0.2)) == pytest.approx((140 - 1.05 * unit) / unit, abs=1e-3)


def test_eyes_that_coincide_are_not_assessed() -> None:
    face = Face(np.array([10, 10, 12, 12], np.float32), np.full((5, 2), 11, np.float32), 0.9)
    measure = crop(Examination(Photo(np.zeros((40, 40, 3), np.uint8)), Role.PORTRAIT, (face,)))
    assert (measure.value, measure.unit, measure.reason) == (None, "IED", "the eyes coincide")


def test_no_face_is_not_assessed() -> None:
    measure = crop(Examination(Photo(np.zeros((40, 40, 3), np.uint8)), Role.PORTRAIT, ()))
    assert (measure.value, measure.reason) == (None, "no face was found")
