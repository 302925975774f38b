"""Synthetic card photos: seeded, each step has its effect, arguments stay unchanged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from facematch_local.synthetic import printed_card
from facematch_local.synthetic.printed_card import PORTRAIT, CardLook, card_photo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facematch_local.matcher import FaceMatcher

PLAIN = CardLook(
    photo_width=(1012, 1012), saturation=(1, 1), black=(0, 0), white=(255, 255), halftone=(0, 0), overlay=(0, 0),
    glare=(0, 0), tilt=(0, 0), turn=0, blur=(0, 0), noise=(0, 0), cast=0, jpeg=(95, 95),
)  # fmt: skip


@pytest.fixture
def portrait(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return astronaut[0:300, 110:350].copy()


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_same_seed_makes_the_same_card(portrait: NDArray[np.uint8]) -> None:
    before = portrait.copy()
    first, again, other = (card_photo(portrait, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)
    assert np.array_equal(portrait, before)
    assert first.dtype == np.uint8


def test_without_any_step_the_portrait_is_on_the_card(
    portrait: NDArray[np.uint8], generator: np.random.Generator
) -> None:
    printed = printed_card.printed_portrait(portrait, generator, PLAIN)
    card = printed_card.card_face(printed, generator, PLAIN)
    left, top, width, height = PORTRAIT
    assert np.array_equal(card[top : top + height, left : left + width], printed)
    photo = printed_card.photographed(card, generator, PLAIN)
    y, x = (photo.shape[0] - card.shape[0]) // 2, (photo.shape[1] - card.shape[1]) // 2
    inside = photo[y + top : y + top + height, x + left : x + left + width].astype(int)
    assert np.abs(inside - printed).mean() < 6  # up to half a pixel off


def test_print_flattens_tones_and_colours(portrait: NDArray[np.uint8], generator: np.random.Generator) -> None:
    look = replace(PLAIN, saturation=(0, 0), black=(40, 40), white=(200, 200))
    printed = printed_card.printed_portrait(portrait, generator, look).astype(int)
    assert printed.min() >= 39
    assert printed.max() <= 201
    assert np.ptp(printed, axis=2).max() <= 1


def test_the_screen_adds_fine_structure_and_keeps_the_tone(
    portrait: NDArray[np.uint8], generator: np.random.Generator
) -> None:
    grey = np.full_like(portrait, 128)
    screened = printed_card.printed_portrait(grey, generator, replace(PLAIN, halftone=(0.5, 0.5), halftone_cell=(3, 3)))
    assert screened.std() > 20
    assert screened.mean() == pytest.approx(128, abs=4)


def test_glare_only_brightens(portrait: NDArray[np.uint8], generator: np.random.Generator) -> None:
    lit = printed_card.with_glare(portrait, generator, replace(PLAIN, glare=(0.8, 0.8)))
    assert (lit.astype(int) - portrait >= -1).all()
    assert (lit.astype(int) - portrait).max() > 60


def test_camera_blurs_and_adds_noise(portrait: NDArray[np.uint8], generator: np.random.Generator) -> None:
    def roughness(pixels: NDArray[np.uint8]) -> float:
        return float(np.abs(np.diff(pixels.astype(int), axis=1)).mean())

    blurred = printed_card.camera(portrait, generator, replace(PLAIN, blur=(2, 2)))
    noisy = printed_card.camera(portrait, generator, replace(PLAIN, noise=(12, 12)))
    assert roughness(blurred) < 0.8 * roughness(portrait) < roughness(portrait) < roughness(noisy)


@pytest.mark.slow
def test_the_face_on_a_synthetic_card_is_found_and_recognised(
    portrait: NDArray[np.uint8], group_photo: NDArray[np.uint8], matcher: FaceMatcher
) -> None:
    analyser = matcher.pack.analyser
    person = analyser.embed(portrait, analyser.find(portrait)[0]).embedding
    stranger = analyser.embed(group_photo, analyser.find(group_photo)[0]).embedding
    for seed in range(4):
        card = card_photo(portrait, seed)
        found = analyser.find(card)
        assert found
        on_card = analyser.embed(card, found[0]).embedding
        assert on_card is not None
        assert person is not None
        assert stranger is not None
        assert on_card @ person > on_card @ stranger + 0.2
