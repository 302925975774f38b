"""Corners of a card from the map of the document network, in pixels of the photo and in reading order."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facematch_local.documents.outline import closer, outline
from facematch_local.faces import Face
from facematch_local.networks.document import DocumentScores

WINDOW = (100, 50, 1300, 850)
WIDE, TALL = WINDOW[2] - WINDOW[0], WINDOW[3] - WINDOW[1]
CARD = np.array([(320, 210), (980, 260), (950, 640), (340, 600)], np.float32)


def _scores(*cards: np.ndarray) -> DocumentScores:
    picture = np.zeros((TALL, WIDE), np.float32)
    for card in cards:
        cv2.fillConvexPoly(picture, np.round(card - WINDOW[:2]).astype(np.int32), (1.0,))
    return DocumentScores(1.0, cv2.resize(picture, (24, 24), interpolation=cv2.INTER_AREA), WINDOW)


def _face(x: float, y: float, degrees: float = 0.0) -> Face:
    points = np.array([(-10, 0), (10, 0), (0, 12), (-8, 24), (8, 24)], np.float64)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (points @ turn.T + (x, y)).astype(np.float32)
    return Face(np.concatenate([points.min(0) - 8, points.max(0) + 8]), points, 0.9)


def test_the_corners_are_those_of_the_card() -> None:
    found = outline(_scores(CARD), _face(450, 400))
    assert found is not None
    assert found.dtype == np.float32
    assert np.abs(found - CARD).max() < 30  # a cell is 50 x 33 pixels


@pytest.mark.parametrize(("degrees", "first"), [(0, 0), (90, 1), (180, 2), (-90, 3)])
def test_the_roll_of_the_face_gives_the_orientation_of_the_card(degrees: float, first: int) -> None:
    found = outline(_scores(CARD), _face(600, 400, degrees))
    assert found is not None
    assert np.abs(found - np.roll(CARD, -first, axis=0)).max() < 30


def test_without_a_face_the_longer_sides_give_the_orientation() -> None:
    lying = outline(_scores(CARD), None)
    assert lying is not None
    assert np.abs(lying - CARD).max() < 30
    upright = np.array([(500, 150), (800, 170), (760, 760), (520, 740)], np.float32)
    found = outline(_scores(upright), None)
    assert found is not None
    top, side = np.linalg.norm(found[1] - found[0]), np.linalg.norm(found[3] - found[0])
    assert top > 1.5 * side


def test_the_card_with_the_face_is_preferred_over_a_larger_one() -> None:
    small = np.array([(1050, 650), (1250, 650), (1250, 780), (1050, 780)], np.float32)
    assert np.abs(outline(_scores(CARD, small), _face(1100, 700)) - small).max() < 30  # type: ignore[operator]
    assert np.abs(outline(_scores(CARD, small), None) - CARD).max() < 30  # type: ignore[operator]


def test_an_empty_map_has_no_outline() -> None:
    assert outline(_scores(), _face(450, 400)) is None
    speck = np.array([(500, 400), (540, 400), (540, 420), (500, 420)], np.float32)
    assert outline(_scores(speck), None) is None


def test_the_tighter_crop_is_the_document_with_a_margin() -> None:
    small = np.array([(1100, 700), (1200, 700), (1200, 780), (1100, 780)], np.float32)
    for scores in (_scores(CARD), _scores(CARD, small)):
        left, top, right, bottom = closer(scores)
        (x0, y0), (x1, y1) = CARD.min(axis=0), CARD.max(axis=0)
        assert x0 - 0.3 * (x1 - x0) < left < x0 < x1 < right < x1 + 0.3 * (x1 - x0)
        assert y0 - 0.3 * (y1 - y0) < top < y0 < y1 < bottom < y1 + 0.3 * (y1 - y0)


@pytest.mark.parametrize("window", [(0, 0, 1, 1), (3, 5, 4, 900), WINDOW])
def test_the_tighter_crop_is_never_empty(window: tuple[int, int, int, int]) -> None:
    corner = np.zeros((24, 24), np.float32)
    corner[23, 23] = 1e-4
    for places in (corner, corner.T, np.zeros_like(corner), np.ones_like(corner)):
        left, top, right, bottom = closer(DocumentScores(0.5, places, window))
        assert window[0] <= left < right <= window[2]
        assert window[1] <= top < bottom <= window[3]
