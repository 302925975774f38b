"""Composed views of a person, and of a display or print held up."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.training.recapture.scenes import SIDE, Portrait, held_up, person


def portrait() -> Portrait:
    image = np.full((300, 240, 3), (40, 160, 40), np.uint8)
    image[90:210, 70:170] = (150, 170, 210)
    return Portrait(image, np.array([70, 90, 170, 210], np.float32))


def share_of(view: np.ndarray, channel: int) -> float:
    """Share of pixels in which this channel is clearly the strongest."""
    others = np.delete(view.astype(int), channel, axis=2).max(2)
    return float((view[..., channel].astype(int) > others + 20).mean())


@pytest.mark.parametrize("kind", ["person", "display", "print"])
def test_views_have_the_size_of_the_crop_and_follow_the_seed(kind: str) -> None:
    rooms = [np.full((200, 300, 3), (180, 60, 60), np.uint8)]

    def view(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        if kind == "person":
            return person(portrait(), rooms, rng)
        return held_up(portrait(), rooms, rng, kind == "display")

    assert view(1).shape == (SIDE, SIDE, 3)
    assert view(1).dtype == np.uint8
    assert np.array_equal(view(1), view(1))
    assert not np.array_equal(view(1), view(2))


@pytest.mark.slow
def test_the_room_shows_around_what_is_held_up_and_not_around_a_person() -> None:
    rooms = [np.full((200, 300, 3), (200, 20, 20), np.uint8)]
    held = [share_of(held_up(portrait(), rooms, np.random.default_rng(seed), True), 0) for seed in range(20)]
    seen = [share_of(person(portrait(), rooms, np.random.default_rng(seed)), 0) for seed in range(20)]
    assert np.median(held) > 0.1
    assert np.median(seen) < 0.05
