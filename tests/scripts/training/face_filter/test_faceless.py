"""Pictures of drawn documents without a portrait."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from scripts.training.face_filter import faceless


def test_documents_with_a_portrait_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    shows, bare = np.zeros((90, 90, 3), np.uint8), np.full((90, 90, 3), 255, np.uint8)
    kinds = ((0.8, lambda rng, face: (shows, (0, 0, 9, 9))), (0.2, lambda rng, face: (bare, None)))
    monkeypatch.setattr(faceless, "KINDS", kinds)
    monkeypatch.setattr(faceless, "COPIES", 0.0)
    for seed in range(20):
        assert faceless.document(np.random.default_rng(seed)) is bare


def test_a_document_lies_somewhere_on_its_ground(tmp_path: Path) -> None:
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
