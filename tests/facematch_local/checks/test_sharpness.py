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


def _edge_blur(pixels: NDArray[np.uint8], face: Face) -> float:
    value = sharpness.edge_blur(_examination(pixels, face)).value
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


def _in_the_dark(pixels: NDArray[np.uint8], light: float = 0.25) -> NDArray[np.uint8]:
    """A quarter of the sRGB values, with the noise of a sensor that is short of light, as a JPEG."""
    rng = np.random.default_rng(3)
    dark = pixels * light + rng.normal(0, 3, pixels.shape)
    encoded = cv2.imencode(".jpg", np.clip(dark, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize("size", [(25, 1), (1, 25), (15, 15)])
def test_motion_in_the_dark_counts_although_noise_hides_it_from_the_sum_over_all_steps(
    photo: NDArray[np.uint8], astronaut_face: Face, size: tuple[int, int]
) -> None:
    moved = _in_the_dark(np.asarray(cv2.blur(photo, size), np.uint8))
    assert _blur(moved, astronaut_face) < _limit("blur")
    assert _edge_blur(moved, astronaut_face) > _limit("edge_blur")


def test_a_sharp_face_in_the_dark_does_not_count_as_blurred(photo: NDArray[np.uint8], astronaut_face: Face) -> None:
    for light in (1.0, 0.5, 0.25, 0.12):
        assert _edge_blur(_in_the_dark(photo, light), astronaut_face) < _limit("edge_blur") - 0.05
    assert _edge_blur(photo, astronaut_face) < _limit("edge_blur") - 0.05


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
    assert _blur(flat, astronaut_face) == _edge_blur(flat, astronaut_face) == pytest.approx(1.0)
    for away in (1000, -1000):
        outside = Face(astronaut_face.box + np.float32(away), astronaut_face.landmarks, 0.8)
        assert sharpness.blur(_examination(flat, outside)).value is None
        assert sharpness.noise(_examination(flat, outside)).value is None
    left = Face(astronaut_face.box - np.float32([400, 0, 400, 0]), astronaut_face.landmarks, 0.8)
    assert sharpness.blur(_examination(flat, left)).value is None


class _Grey(Examination):
    """A photo whose compared face has these grey pixels."""

    grey: NDArray[np.float32] | None = None

    @property
    def face_grey(self) -> NDArray[np.float32] | None:  # type: ignore[override]
        return self.grey


def _with_grey(grey: NDArray[np.float32] | None) -> Examination:
    kind = type("_Grey", (_Grey,), {"grey": grey})
    return kind(Photo(np.zeros((8, 8, 3), np.uint8)), Role.PORTRAIT, ())  # type: ignore[no-any-return]


@pytest.mark.parametrize("shape", [(15, 40), (40, 15)])
def test_a_face_of_fewer_than_16_rows_or_columns_is_not_assessed(shape: tuple[int, int]) -> None:
    for check in (sharpness.blur, sharpness.edge_blur, sharpness.noise):
        small = check(_with_grey(np.zeros(shape, np.float32)))
        assert (small.value, small.reason) == (None, "the face has too few pixels")
        assert check(_with_grey(np.zeros((16, 16), np.float32))).value is not None
        assert check(_with_grey(None)).reason == "no face was found"
    assert sharpness.noise(_with_grey(None)).unit == "grey levels"


def test_blur_is_the_contrast_that_a_mean_of_nine_pixels_leaves() -> None:
    """Crete et al., equations 1 to 5, on noise; the worse direction counts."""
    noise = np.random.default_rng(1).uniform(0, 255, (24, 30)).astype(np.float32)
    noise[:, 1:] = 0.7 * noise[:, :-1] + 0.3 * noise[:, 1:]
    left = []
    for grey in (noise, noise.T):  # along the first axis
        padded = np.pad(grey.astype(float), ((4, 4), (0, 0)), "reflect")
        softer = np.stack([padded[row : row + 9].mean(axis=0) for row in range(len(grey))])
        steps, softened = np.abs(np.diff(grey, axis=0)), np.abs(np.diff(softer, axis=0))
        left.append(1 - np.maximum(steps - softened, 0).sum() / steps.sum())
    assert sharpness.blur(_with_grey(noise)).value == pytest.approx(max(left), abs=1e-4)
    assert abs(left[0] - left[1]) > 0.01


def test_edge_blur_is_the_fourth_power_mean_of_steps_that_a_mean_of_nine_pixels_leaves() -> None:
    """The definition, on noise, by scipy; the worse direction counts."""
    from scipy.ndimage import gaussian_filter, uniform_filter1d

    noise = np.random.default_rng(1).uniform(0, 255, (24, 30)).astype(np.float32)
    noise[:, 1:] = 0.7 * noise[:, :-1] + 0.3 * noise[:, 1:]
    smooth = gaussian_filter(noise.astype(float), 1.0, mode="mirror")
    left = []
    for axis in (0, 1):
        softer = uniform_filter1d(smooth, 9, axis=axis, mode="mirror")
        sums = [(np.diff(grey, axis=axis) ** 4).sum() for grey in (softer, smooth)]
        left.append((sums[0] / sums[1]) ** 0.25)
    assert sharpness.edge_blur(_with_grey(noise)).value == pytest.approx(max(left), abs=1e-4)
    assert abs(left[0] - left[1]) > 0.01


def test_noise_is_the_median_of_the_responses_whose_kernel_lies_inside_the_face() -> None:
    grain = np.random.default_rng(4).normal(128, 7, (16, 17)).astype(np.float32)
    rows = grain[:-2] - 2 * grain[1:-1] + grain[2:]
    inside = rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]
    expected = float(np.median(np.abs(inside))) / 6 / 0.6745
    assert sharpness.noise(_with_grey(grain)).value == pytest.approx(expected, abs=1e-3)


def test_noise_is_a_standard_deviation() -> None:
    grain = np.random.default_rng(2).normal(128, 7, (200, 200)).astype(np.float32)
    measure = sharpness.noise(_with_grey(grain))
    assert measure.value == pytest.approx(7, rel=0.03)
    assert measure.unit == "grey levels"
