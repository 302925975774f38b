"""The grid of a display stands out of the spectrum; live photos and JPEG blocks do not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import synthetic
from facematch_local.faces import Face
from facematch_local.imaging.grid import _mean_power, _range, _starts, _tables, grid_of

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


@pytest.mark.parametrize("shape", [(128, 128), (192, 192), (320, 192)])
def test_the_height_is_that_of_the_mean_spectrum_of_one_two_and_several_windows(shape: tuple[int, int]) -> None:
    """The definition with NumPy's transform, one window at a time; the photo is its own grey."""
    grey = np.random.default_rng(4).integers(60, 200, shape).astype(np.uint8)
    detail = grey - cv2.blur(cv2.blur(grey.astype(np.float32), (7, 7)), (7, 7))
    detail /= np.abs(detail) + 4.0
    starts = [range(0, length - 127, 64) for length in shape]
    windows = np.stack([detail[i : i + 128, j : j + 128] for i in starts[0] for j in starts[1]])
    power = (np.abs(np.fft.fft2(windows * np.outer(np.hanning(128), np.hanning(128)))) ** 2).mean(axis=0)
    logarithm = np.log(np.fft.fftshift(power) + 1e-3)
    steps = np.clip((logarithm + 8.0) * 12.0, 0, 255).astype(np.uint8)
    row, column = np.mgrid[:128, :128] - 64
    radius = np.hypot(row, column) / 128
    asked = (radius > 0.09) & (radius < 0.5) & ((row % 16 != 0) | (column % 16 != 0))
    expected = (logarithm - (cv2.medianBlur(steps, 11) / 12.0 - 8.0))[asked].max()
    assert grid_of(np.stack([grey] * 3, axis=2), _box(grey)) == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize(
    ("length", "starts"),
    [(128, [0]), (191, [0]), (192, [0, 64]), (320, [0, 64, 128, 192]), (1000, [0, 290, 581, 872])],
)
def test_up_to_four_windows_half_a_window_apart_are_spread_evenly(length: int, starts: list[int]) -> None:
    assert _starts(length) == starts


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((10, 20, 210, 320), (20, 320), (10, 210)),
        ((300, 50, 340, 90), (6, 134), (256, 384)),  # a window around the middle of a small box
        ((380, 480, 400, 500), (372, 500), (272, 400)),
        ((-30, -40, 20, 500), (0, 500), (0, 128)),
    ],
)
def test_the_range_is_that_of_the_box_inside_the_photo_and_at_least_a_window(
    box: tuple[float, ...], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    edges = np.array(box, np.float32)
    assert (_range(edges, 0, 500), _range(edges, 1, 400)) == (rows, columns)


def test_low_and_highest_frequencies_and_the_harmonics_of_blocks_are_ignored() -> None:
    _, ignored = _tables()  # the left half, and a little more
    centre = 64
    assert ignored[centre + 16, centre - 16]
    assert not ignored[centre + 16, centre - 5]
    assert not ignored[centre + 5, centre - 16]
    assert ignored[centre + 11, centre]  # 0.086 cycles per pixel
    assert not ignored[centre + 12, centre]
    assert ignored[0, centre - 1]
    assert not ignored[1, centre - 1]


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


def test_the_value_on_a_faint_grid() -> None:
    """The constant of the joint decision on recaptures was chosen with the value as it is."""
    row, column = np.mgrid[:200, :260]
    smooth = 128 + 40 * np.sin(row / 17) + 30 * np.cos(column / 23) + 4 * np.cos(2 * np.pi * column / 3.1)
    noise = np.random.default_rng(5).normal(0, 3, (200, 260, 3))
    photo = np.clip(smooth[..., None] + noise, 0, 255).astype(np.uint8)
    assert grid_of(photo, np.array([20, 10, 240, 190], np.float32)) == pytest.approx(8.723, abs=0.01)
