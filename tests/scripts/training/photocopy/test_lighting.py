"""The light that documents are photographed in."""

from __future__ import annotations

import numpy as np

from scripts.training.photocopy import lighting


def test_white_paper_takes_the_colour_of_the_light() -> None:
    ratios = []
    for seed in range(40):
        out = lighting.photographed(np.random.default_rng(seed), np.full((96, 96, 3), 200, np.uint8)).astype(float)
        ratios.append(np.log((out[..., 0].mean() + 1) / (out[..., 2].mean() + 1)))
    assert np.std(ratios) > 0.1
    assert abs(np.mean(ratios)) < 0.2
