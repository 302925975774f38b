"""Cards on a background, light, and second faces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import synthetic

Pixels = NDArray[np.uint8]


@pytest.fixture
def two() -> tuple[Pixels, Pixels]:
    """Two portraits of one colour each."""
    return np.full((180, 160, 3), (200, 40, 40), np.uint8), np.full((240, 240, 3), (0, 220, 0), np.uint8)


@pytest.mark.parametrize("draw", [synthetic.with_poster, synthetic.on_shirt])
def test_a_picture_of_another_person_is_small_and_beside(draw: Any, two: tuple[Pixels, Pixels]) -> None:
    photo, other = two
    for seed in range(8):
        pixels = draw(photo, other, np.random.default_rng(seed))
        assert (pixels[: photo.shape[0], : photo.shape[1]] == photo).all()
        added = pixels.shape[0] * pixels.shape[1] - photo.shape[0] * photo.shape[1]
        assert 0 < added < photo.shape[0] * photo.shape[1]


@pytest.mark.parametrize(("factor", "size"), [(1.0, 180), (0.35, 63)])
def test_a_second_photo_has_the_size_asked_for(two: tuple[Pixels, Pixels], factor: float, size: int) -> None:
    photo, other = two
    pixels = synthetic.side_by_side(photo, other, factor)
    assert pixels.shape == (180, 160 + size, 3)
    assert (pixels[:size, 160:] == other[0, 0]).all()
    assert (pixels[size:, 160:] == 127).all()


def test_a_card_lies_inside_its_corners(two: tuple[Pixels, Pixels]) -> None:
    card, background = np.full((100, 160, 3), 255, np.uint8), np.zeros((240, 320, 3), np.uint8)
    for seed in range(6):
        photo, corners = synthetic.on_background(card, background, np.random.default_rng(seed), share=0.5)
        assert photo.shape == background.shape
        assert corners.shape == (4, 2)
        assert (corners >= 0).all()
        assert (corners <= (320, 240)).all()
        x, y = corners.mean(axis=0).round().astype(int)
        assert (photo[y, x] == 255).all()
        covered = (photo.max(axis=2) > 127).sum()
        left, right = corners[[0, 3], 0].mean(), corners[[1, 2], 0].mean()
        top, bottom = corners[[0, 1], 1].mean(), corners[[2, 3], 1].mean()
        assert covered == pytest.approx((right - left) * (bottom - top), rel=0.1)
        assert right - left == pytest.approx(160, rel=0.2)


def test_light_dims_and_casts() -> None:
    grey = np.full((60, 80, 3), 128, np.uint8)
    dim = synthetic.lit(grey, np.random.default_rng(0), dim=0.5)
    blue = synthetic.lit(grey, np.random.default_rng(0), cast=(1.2, 1.0, 0.6))
    # In linear light half as bright is 0.5 ** (1 / 2.2) of the value.
    assert dim.mean() == pytest.approx(128 * 0.5 ** (1 / 2.2), abs=3)
    assert np.diff(blue.mean(axis=(0, 1))).max() < -5


@pytest.mark.parametrize(("grey", "low", "high"), [(0, 0, 80), (255, 150, 255)])
def test_a_print_on_a_shirt_runs_from_ink_to_cloth(grey: int, low: int, high: int) -> None:
    photo, other = np.zeros((60, 200, 3), np.uint8), np.full((100, 100, 3), grey, np.uint8)
    for seed in range(4):
        shirt = synthetic.on_shirt(photo, other, np.random.default_rng(seed))[60:]
        assert (shirt[:5, :5] >= 150).all()
        middle = shirt[shirt.shape[0] // 2, shirt.shape[1] // 2]
        assert low <= middle.min() <= middle.max() <= high
