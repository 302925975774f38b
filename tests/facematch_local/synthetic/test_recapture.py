"""Recaptures, blur, crops and sizes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import synthetic
from facematch_local.synthetic.pixels import cropped_to, to_uint8

Pixels = NDArray[np.uint8]


@pytest.fixture
def photo() -> Pixels:
    y, x = np.mgrid[0:120, 0:160]
    return to_uint8(np.stack([100 + x / 2, 60 + y, 120 + 60 * np.sin(x / 9)], axis=2))


@pytest.mark.parametrize("draw", [synthetic.screen_recapture, synthetic.print_recapture])
def test_a_recapture_keeps_the_size_and_changes_the_photo(draw: Any, photo: Pixels) -> None:
    before = photo.copy()
    first, again = (draw(photo, np.random.default_rng(3)) for _ in range(2))
    assert first.shape == photo.shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert np.array_equal(photo, before)
    # It still shows the same photo.
    assert np.corrcoef(cv2.blur(first, (9, 9)).ravel(), cv2.blur(photo, (9, 9)).ravel())[0, 1] > 0.4
    assert np.abs(first.astype(int) - photo).mean() > 5


def test_blur_removes_detail(photo: Pixels) -> None:
    noisy = to_uint8(photo + np.random.default_rng(0).normal(0, 20, photo.shape))

    def roughness(pixels: Pixels) -> float:
        return float(np.abs(np.diff(pixels.astype(int), axis=1)).mean())

    assert roughness(synthetic.gaussian_blur(noisy, 3)) < 0.3 * roughness(noisy)
    assert roughness(synthetic.motion_blur(noisy, 13, np.random.default_rng(0))) < 0.7 * roughness(noisy)


def test_a_crop_lacks_a_strip_of_one_side(photo: Pixels) -> None:
    shapes = set()
    for seed in range(20):
        part = synthetic.cut(photo, np.random.default_rng(seed), 0.25)
        shapes.add(part.shape[:2])
        assert any(np.array_equal(part, whole) for whole in (photo[:, 40:], photo[30:], photo[:, :-40], photo[:-30]))
    assert shapes == {(90, 160), (120, 120)}


@pytest.mark.parametrize(("longest", "size"), [(80, (60, 80)), (320, (240, 320)), (160, (120, 160))])
def test_the_longer_side_is_fitted(photo: Pixels, longest: int, size: tuple[int, int]) -> None:
    assert synthetic.fitted_to(photo, longest).shape[:2] == size
    assert synthetic.scaled(photo, 0.5).shape[:2] == (60, 80)


def test_the_middle_is_cropped_to_the_proportions(photo: Pixels) -> None:
    middle = cropped_to(photo, 60, 120)
    assert middle.shape[:2] == (120, 60)
    assert np.array_equal(middle, photo[:, 50:110])


def test_values_are_rounded_and_clipped() -> None:
    assert to_uint8(np.array([-3.0, 0.4, 0.6, 254.6, 300.0])).tolist() == [0, 0, 1, 255, 255]


def test_compression_loses_more_at_lower_quality(photo: Pixels) -> None:
    losses = [np.abs(synthetic.jpeg(photo, quality).astype(int) - photo).mean() for quality in (95, 60, 20)]
    assert 0 < losses[0] < losses[1] < losses[2]


def test_a_photo_is_averaged_when_reduced_and_smooth_when_enlarged() -> None:
    checks = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((2, 2)))[..., None].repeat(3, axis=2) * 200
    assert set(np.unique(synthetic.fitted_to(to_uint8(checks), 4))) == {100}
    assert len(np.unique(synthetic.fitted_to(to_uint8(checks), 32))) > 4
