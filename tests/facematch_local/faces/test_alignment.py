"""Alignment, compared with that of insightface."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.faces.alignment import ARCFACE_TEMPLATE, arcface_template, distinct_landmarks, similarity_transform
from facematch_local.imaging.resampling import averaged, reduced, warp

BOX = np.array([100, 100, 200, 220], np.float32)


def landmarks(scale: float, degrees: float, seed: int = 0) -> NDArray[np.float32]:
    """Landmarks of a face of `scale` times the template's size, rotated, jittered and shifted."""
    turn = cv2.getRotationMatrix2D((56.0, 56.0), degrees, scale)
    points = np.array(ARCFACE_TEMPLATE) @ turn[:, :2].T + turn[:, 2] + 100
    jitter = np.random.default_rng(seed).normal(0, 2 * scale, (5, 2))
    return (points + jitter).astype(np.float32)


def test_the_template_equals_that_of_insightface() -> None:
    from insightface.utils.face_align import arcface_dst

    assert np.allclose(ARCFACE_TEMPLATE, arcface_dst, atol=1e-4)


@pytest.mark.parametrize("size", [112, 128, 224, 256])
@pytest.mark.parametrize("degrees", [0, 17, -90, 180])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_matrix_equals_that_of_insightface(size: int, degrees: float) -> None:
    from insightface.utils.face_align import estimate_norm

    for seed in range(5):
        points = landmarks(1.7, degrees, seed)
        assert np.allclose(similarity_transform(points, arcface_template(size)), estimate_norm(points, size), atol=1e-3)


@pytest.mark.parametrize(("scale", "degrees"), [(0.5, 0), (1.0, 10), (1.5, -35), (1.5, 90)])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_crop_equals_that_of_insightface(astronaut: NDArray[np.uint8], scale: float, degrees: float) -> None:
    from insightface.utils.face_align import norm_crop

    points = landmarks(scale, degrees)
    ours = warp(astronaut, similarity_transform(points, arcface_template(112)), 112, border=cv2.BORDER_CONSTANT)
    assert np.abs(ours.astype(int) - norm_crop(astronaut, points).astype(int)).max() <= 2


def test_large_faces_are_averaged_not_sampled() -> None:
    """A fine checkerboard, six pixels to one of the crop, must become grey, not moire."""
    board = (np.indices((1200, 1200)).sum(axis=0) % 2 * 255).astype(np.uint8)
    pixels = np.repeat(board[:, :, None], 3, axis=2)
    matrix = similarity_transform(landmarks(6.0, 20), arcface_template(112))
    crop = warp(pixels, matrix, 112, border=cv2.BORDER_REPLICATE)
    assert np.abs(crop[20:90, 20:90].astype(int) - 127).max() < 20


def test_large_faces_keep_their_position() -> None:
    """Averaging must not shift the crop: a smooth picture gives the same result as sampling."""
    rows, columns = np.mgrid[:1200, :1200]
    smooth = (127 + 100 * np.sin(rows / 90) * np.cos(columns / 110)).astype(np.uint8)
    pixels = np.repeat(smooth[:, :, None], 3, axis=2)
    matrix = similarity_transform(landmarks(5.0, 25), arcface_template(112))
    sampled = cv2.warpAffine(pixels, matrix, (112, 112), borderMode=cv2.BORDER_REPLICATE)
    averaged = warp(pixels, matrix, 112, border=cv2.BORDER_REPLICATE)
    assert np.abs(averaged.astype(int) - sampled.astype(int)).mean() < 1.5


def test_distinct_landmarks_are_unchanged() -> None:
    points = landmarks(1.0, 0)
    assert np.array_equal(distinct_landmarks(points, BOX), points.astype(np.float64))


def test_coinciding_landmarks_are_replaced_by_positions_in_the_box() -> None:
    points = distinct_landmarks(np.full((5, 2), 150, np.float32), BOX)
    assert (points.min(axis=0) > BOX[:2]).all()
    assert (points.max(axis=0) < BOX[2:]).all()
    assert np.isfinite(similarity_transform(points, arcface_template(112))).all()


def test_whole_numbers_of_pixels_are_averaged() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (13, 20, 3), np.uint8)
    small, spans = averaged(pixels, 3)
    assert spans == (3.0, 3.0)
    expected = pixels[:12, :18].reshape(4, 3, 6, 3, 3).mean(axis=(1, 3))
    assert np.abs(small - expected).max() <= 0.5
    thin, spans = averaged(pixels[:2], 3)
    assert (thin.shape, spans) == ((1, 6, 3), (3.0, 2.0))


@pytest.mark.parametrize("factor", [2, 4, 5, 6, 8, 9, 12])
def test_averaging_in_steps_gives_the_same_result(factor: int) -> None:
    noise = np.random.default_rng(factor).integers(0, 256, (40 * factor + 1, 45 * factor, 3), np.uint8)
    ramp = np.linspace(0, 255, 45 * factor).astype(np.uint8)[None, :, None] // np.uint8([1, 2, 3])
    for pixels in (noise, np.broadcast_to(ramp, noise.shape).copy()):
        small, spans = averaged(pixels, factor)
        assert spans == (factor, factor)
        wrong = small - pixels[: 40 * factor].reshape(40, factor, 45, factor, 3).mean(axis=(1, 3))
        assert np.abs(wrong).max() <= 1.0
        flat, _ = averaged(np.ascontiguousarray(pixels[..., 0]), factor)
        assert np.array_equal(flat, small[..., 0])
    for rows, columns in ((1, 5), (5, 1), (factor - 1, factor + 1)):
        left = averaged(noise[:rows, :columns], factor)[0]
        assert left.shape[:2] == (max(rows // factor, 1), max(columns // factor, 1))


@pytest.mark.parametrize("factor", [4, 8, 12, 16])
def test_averaging_does_not_brighten(factor: int) -> None:
    pixels = np.random.default_rng(factor).integers(0, 256, (40 * factor, 45 * factor, 3), np.uint8)
    assert abs(averaged(pixels, factor)[0].mean() - pixels.mean()) < 0.2


@pytest.mark.parametrize("coarseness", [0.4, 0.75, 1.0])
def test_reducing_keeps_positions_and_at_least_one_pixel(coarseness: float) -> None:
    photo = np.zeros((800, 1000, 3), np.uint8)
    photo[400:420, 600:630] = 255
    scale = 0.26
    matrix = np.array([[scale, 0, -50.0], [0, scale, -20.0]])
    part, within = reduced(photo, matrix, (200, 120), coarseness)
    assert part.shape[0] < photo.shape[0]
    crop = cv2.warpAffine(part, within, (200, 120))[..., 0].astype(float)
    rows, columns = np.mgrid[0:120, 0:200]
    seen = np.array([(crop * columns).sum(), (crop * rows).sum()]) / crop.sum()
    np.testing.assert_allclose(seen, np.array([614.5, 409.5]) * scale + (-50, -20), atol=0.3)
