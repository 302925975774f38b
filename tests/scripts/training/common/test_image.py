"""JPEG there and back."""

from __future__ import annotations

import numpy as np

from scripts.training.common.image import jpeg


def test_a_lower_quality_changes_more(astronaut: np.ndarray) -> None:
    low, high = (np.abs(jpeg(astronaut, quality).astype(int) - astronaut).mean() for quality in (20, 95))
    assert 0 < high < 3 < low < 12


def test_shape_and_channels_stay() -> None:
    blue = np.zeros((16, 24, 3), np.uint8)
    blue[..., 0] = 200
    there_and_back = jpeg(blue, 90)
    assert there_and_back.shape == blue.shape
    assert there_and_back.dtype == np.uint8
    assert np.abs(there_and_back.astype(int) - blue).max() < 8
