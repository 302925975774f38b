"""Occluders: the labels follow what was drawn, and it is drawn where it belongs."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.training.occlusion import occluders
from scripts.training.occlusion.occluders.paint import JAW, OVAL_TOP


def flat_mesh() -> np.ndarray:
    """468 points of a plain oval face in the canvas: enough for every drawer to find brows, eyes, lips and jaw."""
    rng = np.random.default_rng(0)
    mesh = np.array([160, 190], np.float32) + rng.normal(0, 20, (468, 2)).astype(np.float32)
    middle = np.array([160.0, 195.0])
    for i, index in enumerate(JAW):
        angle = np.pi - np.pi * i / (len(JAW) - 1)
        mesh[index] = middle + np.array([66 * np.cos(angle), 88 * np.sin(angle)])
    for i, index in enumerate(OVAL_TOP):
        angle = -np.pi * i / (len(OVAL_TOP) - 1)
        mesh[index] = middle + np.array([66 * np.cos(angle), 80 * np.sin(angle)])
    for x, (outer, inner, upper, lower) in ((130, (33, 133, 159, 145)), (190, (263, 362, 386, 374))):
        mesh[[outer, inner, upper, lower]] = (x - 10, 170), (x + 10, 170), (x, 166), (x, 174)
    for index, x, y in ((6, 160, 172), (197, 160, 182), (195, 160, 190), (5, 160, 200), (4, 160, 210), (13, 160, 238)):
        mesh[index] = x, y
    for index, x, y in ((123, 110, 205), (116, 105, 200), (50, 115, 210), (205, 125, 225), (345, 215, 200)):
        mesh[index] = x, y
    for index, x, y in (
        (352, 210, 205),
        (280, 205, 210),
        (425, 195, 225),
        (14, 160, 242),
        (61, 140, 240),
        (291, 180, 240),
    ):
        mesh[index] = x, y
    return mesh


PLACES = {"sunglasses": (160, 180, 115, 145), "mask": (225, 250, 140, 180), "head_covering": (60, 110, 130, 190)}


@pytest.mark.slow
@pytest.mark.parametrize("what", list(PLACES))
def test_what_the_label_says_is_drawn_where_it_belongs(what: str) -> None:
    mesh, canvas = flat_mesh(), np.full((320, 320, 3), (120, 150, 200), np.uint8)
    top, bottom, left, right = PLACES[what]
    checked = 0
    for seed in range(60):
        drawn, labels = occluders.draw(canvas, mesh, occluders.Labels(clear_glasses=-1), np.random.default_rng(seed))
        if getattr(labels, what) == 1:
            checked += 1
            assert np.abs(drawn.astype(int) - canvas)[top:bottom, left:right].mean() > 8
    assert checked >= 8


def test_nothing_is_drawn_over_what_the_photo_already_has() -> None:
    mesh, canvas = flat_mesh(), np.full((320, 320, 3), (120, 150, 200), np.uint8)
    known = occluders.Labels(sunglasses=1, mask=1, head_covering=1)
    for seed in range(20):
        drawn, labels = occluders.draw(canvas, mesh, known, np.random.default_rng(seed))
        assert labels == known
        assert np.array_equal(drawn, canvas)
