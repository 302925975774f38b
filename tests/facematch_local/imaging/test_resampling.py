"""Pictures made smaller: size, mean, and the picture itself where it is small enough."""

from __future__ import annotations

import numpy as np
import pytest

from facematch_local.imaging.resampling import limited, scaled


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
