"""Occluders: the labels follow what was drawn, and it is drawn where it belongs."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.training.occlusion import occluders
from scripts.training.occlusion.occluders.hair import fringe, low_fringe
from scripts.training.occlusion.occluders.hats import santa
from scripts.training.occlusion.occluders.paint import JAW, OVAL_TOP
from scripts.training.occlusion.transplant import BROWS, transplanted


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


@pytest.mark.slow
def test_a_santa_hat_leaves_eyes_and_mouth_free_and_covers_the_hair() -> None:
    mesh, canvas = flat_mesh(), np.full((320, 320, 3), (120, 150, 200), np.uint8)
    for seed in range(10):
        drawn = canvas.copy()
        santa(drawn, mesh, np.random.default_rng(seed))
        changed = np.abs(drawn.astype(int) - canvas).mean(axis=2)
        assert changed[70:110, 140:180].mean() > 8
        assert changed[165:260, 125:195].mean() < 5


def test_a_low_fringe_reaches_the_eyes_and_is_neither_sunglasses_nor_a_hat() -> None:
    mesh, canvas = flat_mesh(), np.full((320, 320, 3), (120, 150, 200), np.uint8)
    reached = 0.0
    for seed in range(10):
        low, high = canvas.copy(), canvas.copy()
        low_fringe(low, mesh, np.random.default_rng(seed))
        fringe(high, mesh, np.random.default_rng(seed), brow=0.8)
        eyes = (slice(155, 175), slice(120, 200))
        reached += np.abs(low.astype(int) - canvas)[eyes].mean() - np.abs(high.astype(int) - canvas)[eyes].mean()
    assert reached / 10 > 5
    assert low_fringe in occluders.LIKE_SUNGLASSES


def test_a_transplant_keeps_the_head_and_takes_the_face() -> None:
    rng = np.random.default_rng(0)
    mesh = flat_mesh()
    for index, x, y in ((1, 160, 205), (152, 160, 283)):
        mesh[index] = x, y
    for n, index in enumerate(BROWS):
        mesh[index] = 222 - 124 * n / (len(BROWS) - 1), 150
    head = np.full((320, 320, 3), 60, np.uint8)
    face = np.clip(rng.normal(170, 30, (320, 320, 3)), 0, 255).astype(np.uint8)
    head[150:] = np.clip(rng.normal(120, 30, (170, 320, 3)), 0, 255).astype(np.uint8)
    changed = transplanted(head, mesh, face, mesh, rng)
    assert np.array_equal(changed[:110], head[:110])
    middle = (slice(180, 240), slice(130, 190))
    likeness = np.corrcoef(changed[middle].ravel(), face[middle].ravel())[0, 1]
    assert likeness > 0.9
    assert abs(changed[middle].mean() - head[middle].mean()) < 10  # in the colour of the head
