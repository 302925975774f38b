"""What the document network is taught: drawn documents, masks that lie on them, and views without any."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.training.common.stock import Stock
from scripts.training.document import scenes


@pytest.fixture(scope="module")
def stock(astronaut: np.ndarray) -> Stock:
    grey = np.full((120, 160, 3), 90, np.uint8)
    return Stock([astronaut[10:290, 110:340]], [astronaut], [grey], [], [])


def test_the_mask_lies_on_what_was_laid() -> None:
    red = np.zeros((150, 240, 3), np.uint8)
    red[..., 2] = 255
    for seed in range(8):
        rng = np.random.default_rng(seed)
        scene = scenes.lay(rng, np.full((192, 192, 3), 60, np.uint8), red, 0.5, 0.04)
        is_red = scene.pixels[..., 2].astype(int) - scene.pixels[..., 1] > 60
        assert ((scene.mask > 0.5) == is_red).mean() > 0.98
        assert 0.02 < is_red.mean() < 0.5


@pytest.mark.slow
def test_views_show_a_document_or_none_and_differ(stock: Stock) -> None:
    shares = []
    for seed in range(8):
        made = scenes.view(np.random.default_rng(seed), stock, True)
        assert made.pixels.shape == (192, 192, 3)
        assert made.pixels.dtype == np.uint8
        shares.append(float(made.mask.mean()))
        none = scenes.view(np.random.default_rng(seed), stock, False)
        assert none.mask.max() == 0
        assert not np.array_equal(made.pixels, none.pixels)
    assert min(shares) > 0.005
    assert np.std(shares) > 0.1
    again = scenes.view(np.random.default_rng(3), stock, True)
    assert np.array_equal(again.pixels, scenes.view(np.random.default_rng(3), stock, True).pixels)


@pytest.mark.slow
def test_copies_are_grey_and_what_has_lost_its_colour_is_not_asked_for(stock: Stock) -> None:
    said = {True: 0, False: 0, None: 0}
    for seed in range(60):
        made = scenes._with_document(np.random.default_rng(seed), stock)
        said[made.copied] += 1
    assert said[True] > 8
    assert said[False] > 20
    for seed in range(60):
        made = scenes.view(np.random.default_rng(seed), stock, True)
        if np.ptp(made.pixels.astype(int), axis=2).max() < 20:
            assert made.copied is not False
    assert scenes.view(np.random.default_rng(1), stock, False).copied is None


def test_fingers_are_no_document() -> None:
    card = np.full((120, 190, 3), 240, np.uint8)
    scene = scenes.lay(np.random.default_rng(1), np.zeros((192, 192, 3), np.uint8), card, 0.6, 0.0)
    held = scenes.fingers(np.random.default_rng(2), scene)
    taken = (scene.mask > 0.5) & (held.mask < 0.5)
    assert taken.any()
    assert (held.pixels[taken] != scene.pixels[taken]).any(axis=-1).mean() > 0.8
