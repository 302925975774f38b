"""The grid of a display stands out of the spectrum; live photos and JPEG blocks do not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import synthetic
from facematch_local.faces import Face
from facematch_local.imaging.grid import _mean_power, grid_of

Pixels = NDArray[np.uint8]
_VISIBLE = 4.0


def _box(photo: Pixels) -> NDArray[np.float32]:
    return np.array([0, 0, photo.shape[1], photo.shape[0]], np.float32)


def _behind_grid(photo: Pixels, period: float, depth: float) -> Pixels:
    """Dark lines along the axes, as between the pixels of a display held straight."""
    row, column = np.mgrid[: photo.shape[0], : photo.shape[1]]
    lines = 0.5 * np.cos(2 * np.pi * row / period) + 0.5 * np.cos(2 * np.pi * column / period)
    return np.clip(photo * (1 - depth * (0.5 + 0.5 * lines))[..., None], 0, 255).astype(np.uint8)


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_a_live_photo_has_no_grid_whatever_its_compression(
    astronaut: Pixels, astronaut_face: Face, quality: int
) -> None:
    value = grid_of(synthetic.jpeg(astronaut, quality), astronaut_face.box)
    assert value is not None
    assert value < _VISIBLE


@pytest.mark.parametrize("period", [2.7, 4.3, 6.1])
def test_a_faint_grid_along_the_axes_stands_out(astronaut: Pixels, astronaut_face: Face, period: float) -> None:
    value = grid_of(synthetic.jpeg(_behind_grid(astronaut, period, 0.12), 85), astronaut_face.box)
    assert value is not None
    assert value > _VISIBLE


@pytest.mark.parametrize("shape", [(128, 128), (128, 900), (700, 131)])
def test_the_smallest_photos_are_measured_wherever_the_box_lies(shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(3).integers(90, 160, (*shape, 3)).astype(np.uint8)
    for box in (_box(photo), np.array([-50, -60, -10, -20], np.float32), _box(photo) + 2000):
        value = grid_of(photo, box)
        assert value is not None
        assert np.isfinite(value)


def test_a_blank_photo_has_none_and_a_smaller_one_is_not_measured() -> None:
    blank = np.full((200, 200, 3), 128, np.uint8)
    assert grid_of(blank, _box(blank)) == pytest.approx(0.0, abs=0.2)
    assert grid_of(blank[:127], _box(blank)) is None


@pytest.mark.parametrize("count", [1, 2, 5])
def test_windows_that_share_a_transform_have_their_own_power(count: int) -> None:
    windows = [np.random.default_rng(seed).normal(0, 1 + seed, (128, 128)).astype(np.float32) for seed in range(count)]
    expected = np.mean([np.abs(np.fft.fftshift(np.fft.fft2(window))) ** 2 for window in windows], axis=0)
    np.testing.assert_allclose(_mean_power(windows), expected, rtol=1e-3, atol=0.1)


@pytest.mark.parametrize("turned", [False, True])
def test_a_grid_stands_out_whichever_way_it_leans(astronaut: Pixels, astronaut_face: Face, turned: bool) -> None:
    """Only one half of the spectrum is searched; each line has its mirror image there."""
    row, column = np.mgrid[: astronaut.shape[0], : astronaut.shape[1]]
    phase = (row - column if turned else row + column) * 0.17
    photo = np.clip(astronaut * (0.94 + 0.06 * np.cos(2 * np.pi * phase))[..., None], 0, 255).astype(np.uint8)
    value = grid_of(photo, astronaut_face.box)
    assert value is not None
    assert value > _VISIBLE
