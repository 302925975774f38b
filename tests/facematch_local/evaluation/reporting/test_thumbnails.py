"""Thumbnails: their size and content."""

from __future__ import annotations

import numpy as np
import pytest

from facematch_local.evaluation.reporting.thumbnails import thumbnail
from facematch_local.imaging.decode import decode


@pytest.mark.parametrize(
    ("shape", "size"), [((300, 200), (90, 60)), ((200, 300), (60, 90)), ((30, 20), (90, 60)), ((400, 1), (90, 1))]
)
def test_the_longer_side_has_the_length_asked_for(shape: tuple[int, int], size: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), (200, 40, 90), np.uint8)
    small = decode(thumbnail(pixels, 90, 90)).pixels
    assert small.shape == (*size, 3)
    np.testing.assert_allclose(small.mean(axis=(0, 1)), (200, 40, 90), atol=3)


def test_a_higher_quality_takes_more_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    assert len(thumbnail(noise, 100, 95)) > len(thumbnail(noise, 100, 40))
