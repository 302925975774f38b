"""Pictures made smaller: size, mean, and the picture itself where it is small enough."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facematch_local.imaging.resampling import limited, reduced, scaled, warp


@pytest.mark.parametrize(
    ("shape", "longest", "expected"),
    [((300, 400, 3), 200, (150, 200, 3)), ((400, 300), 100, (100, 75)), ((1, 900, 3), 90, (1, 90, 3))],
)
def test_no_side_is_longer(shape: tuple[int, ...], longest: int, expected: tuple[int, ...]) -> None:
    assert limited(np.zeros(shape, np.uint8), longest).shape == expected


@pytest.mark.parametrize("longest", [400, 401, 4000])
def test_a_picture_that_is_small_enough_stays(longest: int) -> None:
    picture = np.zeros((300, 400, 3), np.uint8)
    assert limited(picture, longest) is picture


def test_pixels_are_averaged() -> None:
    checkers = (np.indices((64, 64)).sum(axis=0) % 2 * 200).astype(np.uint8)
    small = scaled(checkers, 0.5)
    assert small.shape == (32, 32)
    assert (np.abs(small.astype(int) - 100) <= 1).all()


@pytest.mark.parametrize("scale", [0.49, 0.36, 0.35, 0.22, 0.177, 0.09, 0.01])
def test_halving_averages_the_power_of_two_nearest_to_the_scale(scale: float) -> None:
    row, column = np.mgrid[:900, :1000]
    photo = np.stack([row // 4, column // 4, (row + column) // 8], axis=2).astype(np.uint8)
    matrix = np.array([[scale, 0.0, 3.0], [0.0, scale, 2.0]])
    _, onward = reduced(photo, matrix, (60, 50), halved=True)
    size = float(onward[0, 0])
    assert 0.7 < size < 1.42
    assert np.log2(size / scale) == pytest.approx(round(np.log2(size / scale)), abs=0.02)
    # A smooth picture looks the same, whatever is averaged: a pixel of the crop is 0.25 / scale grey levels wide.
    crops = [warp(photo, matrix, 60, border=cv2.BORDER_REPLICATE, halved=halved) for halved in (False, True)]
    inside = slice(4, int(min(60.0, 900 * scale))), slice(5, int(min(60.0, 1000 * scale)))
    differences = np.abs(crops[0].astype(int) - crops[1])[inside]
    assert differences.size == 0 or differences.max() <= 0.25 / scale / 3 + 1
