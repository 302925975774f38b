"""Simulated close views: displays leave a grid, the world and its camera do not."""

from __future__ import annotations

import numpy as np
import pytest

from facematch_local.imaging.spectrum import strongest_period
from scripts.training.texture.camera import developed, photographed, sent
from scripts.training.texture.closeups import display, paper, world
from scripts.training.texture.grounds import drawn_ground

SIDE = 144


def smooth_photo() -> np.ndarray:
    row, column = np.mgrid[:400, :400].astype(np.float32)
    grey = 120 + 60 * np.sin(row / 90) + 40 * np.cos(column / 70)
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("make", [world, display, paper])
def test_a_view_has_the_asked_size_and_follows_the_seed(make) -> None:  # type: ignore[no-untyped-def]
    photo = smooth_photo()
    first, again, other = (make(photo, SIDE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == (SIDE, SIDE, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.slow
def test_displays_leave_periods_more_often_than_the_world() -> None:
    photo = smooth_photo()

    def periods(make) -> np.ndarray:  # type: ignore[no-untyped-def]
        views = [make(photo, SIDE, np.random.default_rng(seed)) for seed in range(24)]
        return np.array([strongest_period(view.mean(2).astype(np.float32)) for view in views])

    assert np.mean(periods(display) > periods(world).max()) > 0.25


@pytest.mark.parametrize("step", [developed, sent])
def test_the_camera_and_the_messenger_keep_the_picture(step) -> None:  # type: ignore[no-untyped-def]
    photo = smooth_photo()
    for seed in range(12):
        out = step(photo, np.random.default_rng(seed))
        assert out.dtype == np.uint8
        assert out.ndim == 3
        assert 0.3 < out.mean() / photo.mean() < 2.5


def test_a_photograph_of_even_light_is_even() -> None:
    light = np.full((96, 96, 3), 0.3, np.float32)
    shot = photographed(light, np.random.default_rng(3))
    assert shot.std() < 25


@pytest.mark.slow
def test_a_drawn_ground_has_a_pattern() -> None:
    for seed in range(12):
        ground = drawn_ground(np.random.default_rng(seed))
        assert ground.shape == (640, 640, 3)
        assert ground.std() > 1
