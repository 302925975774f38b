"""Perspective correction: mapping of points, masks, and orientation."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facematch_local.documents import upright_view
from facematch_local.faces import Face, head_axes, portrait_corners
from facematch_local.imaging.perspective import covered, photo_corners, rectified

UPRIGHT = np.array([(40, 50), (70, 50), (55, 68), (43, 85), (67, 85)], np.float64)


def face(points: np.ndarray) -> Face:
    return Face(np.float32([*points.min(axis=0), *points.max(axis=0)]), points.astype(np.float32), 0.9)


def turned(degrees: float, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """The rotation matrix (2, 2), and an upright face rotated about its eyes and moved to (500, 400)."""
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turn, (UPRIGHT - UPRIGHT[:2].mean(axis=0)) @ turn.T + (500, 400)


@pytest.mark.parametrize("degrees", [0, 30, 90, 180, -120])
def test_the_box_around_a_portrait_turns_with_the_head(degrees: float) -> None:
    turn, points = turned(degrees, 2.0)
    corners = (portrait_corners(face(points)) - (500, 400)) @ np.linalg.inv(turn).T
    level = portrait_corners(face(UPRIGHT)) - UPRIGHT[:2].mean(axis=0)
    np.testing.assert_allclose(corners, level, atol=0.1)
    assert level[0, 0] < 0 < level[2, 0]
    assert level[0, 1] < 0 < level[2, 1]


def test_landmarks_without_a_direction_count_as_level() -> None:
    np.testing.assert_array_equal(head_axes(face(np.full((5, 2), 40.0))), np.eye(2))
    assert np.isfinite(portrait_corners(face(np.full((5, 2), 40.0)))).all()


def test_the_area_between_the_corners_fills_the_result() -> None:
    photo = np.full((300, 400, 3), 20, np.uint8)
    corners = np.float32([(120, 60), (280, 90), (260, 200), (100, 170)])
    cv2.fillConvexPoly(photo, corners.astype(np.int32), (200, 180, 160))
    flat = rectified(photo, corners, 80)
    assert flat.shape[1] == 80
    np.testing.assert_allclose(flat[4:-4, 4:-4].reshape(-1, 3).mean(axis=0), (200, 180, 160), atol=2)


def test_a_large_part_is_averaged_not_sampled() -> None:
    photo = (np.indices((900, 1200)).sum(axis=0)[..., None].repeat(3, axis=2) % 2 * 255).astype(np.uint8)
    flat = rectified(photo, photo_corners(photo) + np.float32(0.5), 60)
    assert np.abs(flat.astype(int) - 127).max() < 20


def test_the_cover_is_clipped_to_the_photo() -> None:
    assert covered(np.float32([(-10, -10), (500, -10), (500, 500), (-10, 500)]), (40, 30)).all()
    half = covered(np.float32([(20, -1e6), (1e6, -1e6), (1e6, 1e6), (20, 1e6)]), (40, 30))
    assert half.shape == (30, 40)
    assert not half[:, :19].any()
    assert half[:, 21:].all()
    assert not covered(np.float32([(100, 100), (120, 100), (120, 120), (100, 120)]), (40, 30)).any()


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1.0), (25, 1.0), (-100, 3.0), (180, 6.0)])
def test_the_upright_picture_shows_the_eyes_level_in_the_middle(degrees: float, scale: float) -> None:
    _, points = turned(degrees, scale)
    photo = np.zeros((900, 1100, 3), np.uint8)
    radius = max(round(4 * scale), 2)
    for x, y in points[:2]:
        cv2.circle(photo, (round(x), round(y)), radius, (255, 255, 255), -1)
    picture, inside, matrix = upright_view.upright(photo, face(points), head_axes(face(points)))
    assert picture.shape == (upright_view.HEIGHT, upright_view.WIDTH, 3)
    assert inside.shape == picture.shape[:2]
    placed = points[:2] @ matrix[:, :2].T + matrix[:, 2]
    middle = np.array([upright_view.WIDTH / 2, upright_view.HEIGHT / 2])
    np.testing.assert_allclose(placed.mean(axis=0), middle, atol=0.01)
    np.testing.assert_allclose(placed[1] - placed[0], (upright_view.EYES * 30 / 30.3, 0), atol=1.0)
    for x, y in placed:
        window = picture[round(y) - 12 : round(y) + 13, round(x) - 10 : round(x) + 11, 0].astype(float)
        rows, columns = np.mgrid[round(y) - 12 : round(y) + 13, round(x) - 10 : round(x) + 11]
        seen = np.array([(window * columns).sum(), (window * rows).sum()]) / window.sum()
        assert np.abs(seen - (x, y)).max() < 1.0
    corner = photo_corners(photo) @ matrix[:, :2].T + matrix[:, 2]
    for x, y in corner:
        if 3 < x < upright_view.WIDTH - 3 and 3 < y < upright_view.HEIGHT - 3:
            around = inside[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4]
            assert 0 < (around > 0).mean() < 0.6
