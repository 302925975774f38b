"""What the photocopy network is taught: documents in colour and grey copies of them, under any light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facematch_local.packs import find_pack, load_pack
from scripts.training.common.stock import Stock
from scripts.training.photocopy import data


@pytest.fixture(scope="module")
def stock(astronaut: np.ndarray) -> Stock:
    grey = np.full((120, 160, 3), 90, np.uint8)
    return Stock([astronaut[10:290, 110:340]], [astronaut], [grey], [], [])


def test_the_portrait_lies_in_the_middle(stock: Stock) -> None:
    shares = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        flat, area = data.drawn(rng, stock)
        assert 0 <= area[0] < area[2] <= flat.shape[1]
        flat[:] = 40
        flat[int(area[1]) : int(area[3]), int(area[0]) : int(area[2])] = 240
        pixels, mask = data.seen(rng, flat, area, stock)
        assert pixels.shape == (96, 96, 3)
        assert mask[35:55, 38:58].min() > 250
        shares.append((pixels[35:55, 38:58] > 150).mean())
    assert min(shares) > 0.7
    assert np.median(shares) > 0.95


@pytest.mark.slow
def test_the_eyes_are_where_the_library_cuts_them(astronaut: np.ndarray) -> None:
    analyser, eyes = load_pack(find_pack("compact")).analyser, []
    # What the document network's `load_stock` cuts from a photo of LFW: a square, 4.2 inter-eye distances wide.
    face = analyser.find(astronaut)[0]
    side = 4.2 * face.inter_eye_distance
    x0, y0 = (face.eye_midpoint - side * np.array([0.5, 0.42])).astype(int)
    x1, y1 = x0 + int(side), y0 + int(side)
    grey = np.full((120, 160, 3), 90, np.uint8)
    stock = Stock([astronaut[y0:y1, x0:x1]], [astronaut], [grey], [], [])
    for seed in range(12):
        rng = np.random.default_rng(seed)
        flat, area = data.drawn(rng, stock)
        pixels, _ = data.seen(rng, flat, area, stock)
        faces = analyser.find(cv2.resize(pixels, None, fx=3, fy=3))
        eyes += [face.landmarks[:2] / 3 for face in faces[:1]]
    assert len(eyes) >= 8
    template = np.asarray(data.PHOTOCOPY_TEMPLATE)[:2]
    apart = np.median([np.linalg.norm(left - right) for left, right in eyes])
    assert apart == pytest.approx(np.linalg.norm(template[0] - template[1]), rel=0.15)
    assert np.median([pair.mean(axis=0) for pair in eyes], axis=0) == pytest.approx(template.mean(axis=0), abs=4)


@pytest.mark.slow
def test_a_copy_has_the_colours_of_toner_and_paper_alone(stock: Stock) -> None:
    apart = {}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        flat, area = data.drawn(rng, stock)
        for is_copy, picture in ((False, flat), (True, data.toner_copy(rng, flat))):
            pixels, mask = data.seen(np.random.default_rng(seed), picture, area, stock)
            apart.setdefault(is_copy, []).append(data.differences(pixels, mask))
    assert max(apart[True]) < 0.25
    assert np.median(apart[False]) > 2 * np.median(apart[True])


@pytest.mark.slow
def test_views_are_of_both_kinds_and_repeat(stock: Stock) -> None:
    said = []
    for seed in range(3):
        views = data.views_of(np.random.default_rng(seed), stock)
        said += [is_copy for _, is_copy in views]
        again = data.views_of(np.random.default_rng(seed), stock)
        assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(views, again, strict=True))
    assert 2 < sum(said) < len(said) - 2
