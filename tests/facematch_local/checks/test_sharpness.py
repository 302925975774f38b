"""Code 10 as quality: blur and noise are detected, and a small photo does not count as blurred."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.checks import Examination, Role, sharpness
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo
from facematch_local.policy import load_policy


def _examination(pixels: NDArray[np.uint8], face: Face) -> Examination:
    return Examination(Photo(pixels), Role.PORTRAIT, (face,))


def _blur(pixels: NDArray[np.uint8], face: Face) -> float:
    value = sharpness.blur(_examination(pixels, face)).value
    assert value is not None
    return value


def _noise(pixels: NDArray[np.uint8], face: Face) -> float:
    value = sharpness.noise(_examination(pixels, face)).value
    assert value is not None
    return value


def _limit(name: str) -> float:
    maximum = load_policy().limits[Role.PORTRAIT][name].maximum
    assert maximum is not None
    return maximum


def test_blur_rises_with_the_width_of_the_blur(photo: NDArray[np.uint8], astronaut_face: Face) -> None:
    values = [_blur(photo, astronaut_face)]
    values += [_blur(cv2.GaussianBlur(photo, (0, 0), s), astronaut_face) for s in (1, 2, 4)]  # type: ignore[arg-type]
    assert values == sorted(values)
    assert values[0] < _limit("blur") < values[-1]


def test_motion_blur_counts_in_every_direction(photo: NDArray[np.uint8], astronaut_face: Face) -> None:
    for size in ((17, 1), (1, 17)):
        moved = cv2.blur(photo, size)
        assert _blur(moved, astronaut_face) > _limit("blur")  # type: ignore[arg-type]


def test_a_smaller_photo_is_not_more_blurred(photo: NDArray[np.uint8], astronaut_face: Face) -> None:
    small = cv2.resize(photo, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    face = Face(astronaut_face.box * np.float32(0.6), astronaut_face.landmarks * np.float32(0.6), 0.8)
    assert _blur(small, face) <= _blur(photo, astronaut_face) + 0.05  # type: ignore[arg-type]


def test_noise_is_measured_in_grey_levels(photo: NDArray[np.uint8], astronaut_face: Face) -> None:
    rng = np.random.default_rng(1)
    plain = _noise(photo, astronaut_face)
    grain = rng.normal(0, 25, photo.shape[:2])[..., None]
    grainy = np.clip(photo + grain, 0, 255).astype(np.uint8)
    # Slightly below the added 25, because shadows are clipped.
    assert plain < 5
    assert 18 < _noise(grainy, astronaut_face) < 28


def test_a_flat_patch_counts_as_blurred_and_a_face_without_pixels_is_not_assessed(astronaut_face: Face) -> None:
    flat = np.full((300, 300, 3), 90, np.uint8)
    assert _blur(flat, astronaut_face) == pytest.approx(1.0)
    for away in (1000, -1000):
        outside = Face(astronaut_face.box + np.float32(away), astronaut_face.landmarks, 0.8)
        assert sharpness.blur(_examination(flat, outside)).value is None
        assert sharpness.noise(_examination(flat, outside)).value is None
    left = Face(astronaut_face.box - np.float32([400, 0, 400, 0]), astronaut_face.landmarks, 0.8)
    assert sharpness.blur(_examination(flat, left)).value is None
