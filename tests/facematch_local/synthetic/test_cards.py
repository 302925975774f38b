"""Drawn cards, copies of them, and tampering."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import synthetic
from facematch_local.synthetic.cards import ID1, ID3

Pixels = NDArray[np.uint8]
BLUE, GREEN = np.full((180, 160, 3), (200, 40, 40), np.uint8), np.full((240, 240, 3), (0, 220, 0), np.uint8)


def _card(
    seed: int = 0, portrait: Pixels | None = BLUE, passport: bool = False, engraved: bool = False
) -> synthetic.Card:
    return synthetic.draw_card(portrait, np.random.default_rng(seed), 600, passport, engraved)


def _inside(card: synthetic.Card, pixels: Pixels | None = None, inset: int = 4) -> Pixels:
    left, top, right, bottom = card.portrait
    return (card.pixels if pixels is None else pixels)[top + inset : bottom - inset, left + inset : right - inset]


@pytest.mark.parametrize(("passport", "proportions"), [(False, ID1), (True, ID3)])
def test_a_card_has_the_proportions_of_its_kind(passport: bool, proportions: float) -> None:
    card = _card(passport=passport)
    assert card.pixels.shape == (round(600 / proportions), 600, 3)
    assert np.array_equal(card.pixels, _card(passport=passport).pixels)
    assert not np.array_equal(card.pixels, _card(1, passport=passport).pixels)


def test_the_portrait_is_printed_in_its_box_with_less_colour() -> None:
    for seed in range(2):
        card = _card(seed)
        blue, green, red = _inside(card).reshape(-1, 3).mean(axis=0)
        assert blue - red == pytest.approx(blue - green, abs=3)
        assert 60 < blue - red < 160
        assert np.ptp(_inside(_card(seed, engraved=True)).reshape(-1, 3).mean(axis=0)) < 3
        assert np.ptp(_inside(_card(seed, portrait=None)).reshape(-1, 3).mean(axis=0)) < 100


@pytest.mark.parametrize("passport", [False, True])
def test_a_second_portrait_lies_on_the_card_across_from_the_first(passport: bool) -> None:
    for seed in range(2):
        card = _card(seed, passport=passport)
        twice = synthetic.with_second_portrait(card, GREEN, np.random.default_rng(seed), (0.8, 0.8), (1.0, 1.0))
        changed = np.argwhere((twice.pixels != card.pixels).any(axis=2))
        (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0) + 1
        first_left, _, first_right, first_bottom = card.portrait
        assert right <= first_left or left >= first_right
        assert bottom == first_bottom
        assert (right - left) / (first_right - first_left) == pytest.approx(0.8, abs=0.02)
        assert (twice.pixels[top:bottom, left:right] == GREEN[0, 0]).mean() > 0.95


def test_a_copy_is_grey_and_steeper() -> None:
    card = _card()
    copy = synthetic.photocopy(card.pixels, np.random.default_rng(0))
    assert copy.shape == card.pixels.shape
    assert (np.ptp(copy, axis=2) == 0).all()
    assert copy.std() > card.pixels.mean(axis=2).std()


@pytest.mark.parametrize("kind", synthetic.SWAPS)
def test_a_swap_changes_the_portrait_alone(kind: synthetic.Swap) -> None:
    card = _card()
    before = card.pixels.copy()
    pixels = synthetic.swap_portrait(card, GREEN, np.random.default_rng(0), kind)
    left, top, right, bottom = card.portrait
    outside = np.ones(pixels.shape[:2], bool)
    outside[top:bottom, left:right] = False
    assert (pixels[outside] == before[outside]).all()
    assert np.array_equal(card.pixels, before)
    mean = _inside(card, pixels).reshape(-1, 3).mean(axis=0)
    if kind == "blended":
        # Brightness and colours are fitted to those of the old portrait.
        np.testing.assert_allclose(mean, _inside(card).reshape(-1, 3).mean(axis=0), atol=6)
    else:
        np.testing.assert_allclose(mean, GREEN[0, 0], atol=4)


def test_edited_text_lies_beside_the_portrait() -> None:
    for seed in range(3):
        card = _card(seed)
        changed = np.argwhere((synthetic.edit_text(card, np.random.default_rng(seed)) != card.pixels).any(axis=2))
        left, top, right, bottom = card.portrait
        assert len(changed) > 100
        assert ((changed[:, 1] < left) | (changed[:, 1] >= right)).all()
        assert (np.ptp(changed, axis=0) + 1 < (0.2 * card.pixels.shape[0], 0.8 * card.pixels.shape[1])).all()
        assert top <= changed[:, 0].min() <= changed[:, 0].max() <= bottom
