"""The made faces and the geometry of the recogniser's training, which need no torch."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

TRAINING = Path(__file__).resolve().parents[2] / "scripts" / "training"
# Names that only mean something inside these two folders; other tests must not find them imported.
OWN = {path.stem for folder in ("detector", "recogniser") for path in (TRAINING / folder).glob("*.py")}


@pytest.fixture(scope="module")
def scripts() -> Iterator[dict[str, ModuleType]]:
    before = {name: sys.modules.pop(name) for name in OWN & set(sys.modules)}
    sys.path[:0] = [str(TRAINING / "recogniser"), str(TRAINING / "detector")]
    try:
        yield {name: importlib.import_module(name) for name in ("faces", "morphs", "augment", "teacher")}
    finally:
        del sys.path[:2]
        for name in OWN & set(sys.modules):
            del sys.modules[name]
        sys.modules.update(before)


def test_a_blend_takes_regions_of_both_faces(scripts: dict[str, ModuleType]) -> None:
    side = scripts["faces"].SIDE
    bright, stripes = np.full((side, side, 3), 200, np.uint8), np.full((side, side, 3), 200, np.uint8)
    stripes[::4] = 40
    shares = []
    for seed in range(12):
        mixed = scripts["morphs"].blend(bright, stripes, np.random.default_rng(seed))
        assert mixed.shape == (side, side, 3)
        assert mixed.dtype == np.uint8
        shares.append(float(np.abs(np.diff(mixed.astype(int), axis=0)).mean()))
    # Some keep mostly the first face, some take mostly the other.
    assert min(shares) < 0.5 * max(shares)


def test_the_same_seed_makes_the_same_blend(scripts: dict[str, ModuleType]) -> None:
    side = scripts["faces"].SIDE
    one, two = (np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8) for seed in (1, 2))
    first, again = (scripts["morphs"].blend(one, two, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_alignment_brings_landmarks_to_the_template(scripts: dict[str, ModuleType]) -> None:
    template = scripts["faces"].ARCFACE.astype(np.float64)
    turn = np.array([[0.8, -0.3], [0.3, 0.8]])
    landmarks = template @ turn.T + (12, -5)
    matrix = scripts["augment"].alignment(landmarks, None)
    np.testing.assert_allclose(landmarks @ matrix[:, :2].T + matrix[:, 2], template, atol=1e-3)
    uncertain = scripts["augment"].alignment(landmarks, np.random.default_rng(3))
    moved = landmarks @ uncertain[:, :2].T + uncertain[:, 2]
    assert 0.1 < np.abs(moved - template).max() < 12


def test_augmentation_keeps_the_crop_a_crop(scripts: dict[str, ModuleType]) -> None:
    crop = np.random.default_rng(1).integers(0, 256, (112, 112, 3), np.uint8)
    for seed in range(60):
        changed = scripts["augment"].augment(crop, np.random.default_rng(seed))
        assert changed.shape == crop.shape
        assert changed.dtype == np.uint8


def test_unit_embeddings(scripts: dict[str, ModuleType]) -> None:
    found = scripts["teacher"].unit(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0.0, 0.0]])
