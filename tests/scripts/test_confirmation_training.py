"""What the confirmation head is taught on is what it will see."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from facematch_local.networks.face_filter import face_filter_crop


@pytest.fixture(scope="module")
def faceless(training: Any) -> Iterator[ModuleType]:
    with training("confirmation") as load:
        yield load("faceless")


@pytest.fixture(scope="module")
def crops(training: Any) -> Iterator[ModuleType]:
    with training("confirmation") as load:
        yield load("crops")


@pytest.mark.parametrize("box", [(100, 60, 190, 180), (-20, -30, 60, 70), (150, 100, 178, 132)])
def test_the_stored_crop_holds_what_the_head_sees(crops: ModuleType, box: tuple[int, ...]) -> None:
    photo = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (240, 320, 3), np.uint8), (0, 0), 6)
    photo = cv2.normalize(photo, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    where = np.array(box, np.float32)
    taught = crops.seen(crops.stored_crop(photo, where)).astype(int)
    used = face_filter_crop(photo, where).astype(int)
    assert np.abs(taught - used).mean() < 3 < used.std() / 4


def test_documents_with_a_portrait_are_not_taken(faceless: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    shows, bare = np.zeros((90, 90, 3), np.uint8), np.full((90, 90, 3), 255, np.uint8)
    kinds = ((0.8, lambda rng, face: (shows, (0, 0, 9, 9))), (0.2, lambda rng, face: (bare, None)))
    monkeypatch.setattr(faceless, "KINDS", kinds)
    monkeypatch.setattr(faceless, "COPIES", 0.0)
    for seed in range(20):
        assert faceless.document(np.random.default_rng(seed)) is bare


def test_a_document_lies_somewhere_on_its_ground(faceless: ModuleType, tmp_path: Any) -> None:
    ground = np.full((300, 400, 3), (10, 200, 10), np.uint8)
    for seed in range(5):
        flat = np.full((100, 160, 3), (200, 10, 200), np.uint8)
        laid = faceless.laid(np.random.default_rng(seed), flat, ground)
        covered = (laid[..., 1] < 100).mean()
        assert laid.shape == ground.shape
        assert 0.01 < covered < 0.95
    cv2.imwrite(str(tmp_path / "g.png"), ground)
    made = faceless.picture(np.random.default_rng(3), [tmp_path / "g.png"])
    assert made.dtype == np.uint8
    assert made.ndim == 3
