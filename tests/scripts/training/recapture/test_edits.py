"""Edits of crops keep their form, and some of them cover a part with another crop."""

from __future__ import annotations

import numpy as np

from scripts.training.recapture.edits import changed, edited

SIZE = 80


def test_edits_keep_size_and_type_follow_the_seed_and_leave_the_crop_alone() -> None:
    crop, other = np.full((SIZE, SIZE, 3), 90, np.uint8), np.full((SIZE, SIZE, 3), 200, np.uint8)
    altered = 0
    for seed in range(40):
        first, again = (edited(crop, other, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(first, again)
        assert changed(first, np.random.default_rng(seed)).shape == (SIZE, SIZE, 3)
        assert first.dtype == np.uint8
        altered += not np.array_equal(first, crop)
    assert (crop == 90).all()
    assert 10 < altered < 36
