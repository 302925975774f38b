"""What the copy head is taught: documents in colour and grey copies of them, under any light."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from facematch_local.packs import find_pack, load_pack


@pytest.fixture(scope="module")
def copy_samples(training: Any) -> Iterator[ModuleType]:
    with training("copies", "document", "detector", "heads") as load:
        yield load("copy_samples")


@pytest.fixture(scope="module")
def stock(copy_samples: ModuleType, astronaut: np.ndarray) -> object:
    grey = np.full((120, 160, 3), 90, np.uint8)
    return copy_samples.Stock([astronaut[10:290, 110:340]], [astronaut], [grey], [], [])


def test_the_portrait_lies_in_the_middle(copy_samples: ModuleType, stock: object) -> None:
    shares = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        flat, area = copy_samples.drawn(rng, stock)
        assert 0 <= area[0] < area[2] <= flat.shape[1]
        flat[:] = 40
        flat[int(area[1]) : int(area[3]), int(area[0]) : int(area[2])] = 240
        pixels, mask = copy_samples.seen(rng, flat, area, stock)
        assert pixels.shape == (96, 96, 3)
        assert mask[35:55, 38:58].min() > 250
        shares.append((pixels[35:55, 38:58] > 150).mean())
    assert min(shares) > 0.7
    assert np.median(shares) > 0.95


def test_the_eyes_are_where_the_library_cuts_them(copy_samples: ModuleType, astronaut: np.ndarray) -> None:
    analyser, eyes = load_pack(find_pack("compact")).analyser, []
    # What the document head's `load_stock` cuts from a photo of LFW: a square, 4.2 inter-eye distances wide.
    face = analyser.find(astronaut)[0]
    side = 4.2 * face.inter_eye_distance
    x0, y0 = (face.eye_midpoint - side * np.array([0.5, 0.42])).astype(int)
    x1, y1 = x0 + int(side), y0 + int(side)
    grey = np.full((120, 160, 3), 90, np.uint8)
    stock = copy_samples.Stock([astronaut[y0:y1, x0:x1]], [astronaut], [grey], [], [])
    for seed in range(12):
        rng = np.random.default_rng(seed)
        flat, area = copy_samples.drawn(rng, stock)
        pixels, _ = copy_samples.seen(rng, flat, area, stock)
        faces = analyser.find(cv2.resize(pixels, None, fx=3, fy=3))
        eyes += [face.landmarks[:2] / 3 for face in faces[:1]]
    assert len(eyes) >= 8
    template = np.asarray(copy_samples.PHOTOCOPY_TEMPLATE)[:2]
    apart = np.median([np.linalg.norm(left - right) for left, right in eyes])
    assert apart == pytest.approx(np.linalg.norm(template[0] - template[1]), rel=0.15)
    assert np.median([pair.mean(axis=0) for pair in eyes], axis=0) == pytest.approx(template.mean(axis=0), abs=4)


def test_a_copy_has_the_colours_of_toner_and_paper_alone(copy_samples: ModuleType, stock: object) -> None:
    apart = {}
    for seed in range(8):
        rng = np.random.default_rng(seed)
        flat, area = copy_samples.drawn(rng, stock)
        for is_copy, picture in ((False, flat), (True, copy_samples.toner_copy(rng, flat))):
            pixels, mask = copy_samples.seen(np.random.default_rng(seed), picture, area, stock)
            apart.setdefault(is_copy, []).append(copy_samples.differences(pixels, mask))
    assert max(apart[True]) < 0.25
    assert np.median(apart[False]) > 2 * np.median(apart[True])


def test_views_are_of_both_kinds_and_repeat(copy_samples: ModuleType, stock: object) -> None:
    said = []
    for seed in range(8):
        views = copy_samples.views_of(np.random.default_rng(seed), stock)
        said += [is_copy for _, is_copy in views]
        again = copy_samples.views_of(np.random.default_rng(seed), stock)
        assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(views, again, strict=True))
    assert 6 < sum(said) < len(said) - 6


def test_white_paper_takes_the_colour_of_the_light(training: Any) -> None:
    with training("copies", "detector") as load:
        lighting = load("lighting")
        ratios = []
        for seed in range(40):
            out = lighting.photographed(np.random.default_rng(seed), np.full((96, 96, 3), 200, np.uint8)).astype(float)
            ratios.append(np.log((out[..., 0].mean() + 1) / (out[..., 2].mean() + 1)))
        assert np.std(ratios) > 0.1
        assert abs(np.mean(ratios)) < 0.2
