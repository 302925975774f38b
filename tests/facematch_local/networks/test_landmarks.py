"""The landmark network: where it moves landmarks, and where it leaves them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facematch_local.networks.landmarks import LANDMARK_TEMPLATE, LandmarkNetwork
from tests.facematch_local.networks.made_networks import (
    constant_points,
    session,
    turned,
)

FIVE = np.array(LANDMARK_TEMPLATE)


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1.0), (25, 3.0), (180, 0.5)])
def test_landmarks_move_to_the_points_of_the_network(tmp_path: Path, degrees: float, scale: float) -> None:
    given = turned(FIVE, degrees, scale, (300, 250)).astype(np.float32)
    nudge = np.array([[2, 0], [0, 2], [-3, 1], [1, 1], [0, -2]])
    network = LandmarkNetwork(session(constant_points(tmp_path / "l.onnx", FIVE + nudge)))
    found = network.locate(np.zeros((500, 600, 3), np.uint8), given, np.float32([0, 0, 600, 500]))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, turned(FIVE + nudge, degrees, scale, (300, 250)), atol=0.01)


def test_landmarks_stay_after_a_large_correction(tmp_path: Path) -> None:
    network = LandmarkNetwork(session(constant_points(tmp_path / "l.onnx", FIVE)))
    given = FIVE.astype(np.float32)
    photo, box = np.zeros((80, 80, 3), np.uint8), np.float32([0, 0, 80, 80])
    np.testing.assert_allclose(network.locate(photo, given, box), given, atol=0.01)
    nose, eyes, nowhere = FIVE.copy(), FIVE.copy(), FIVE.copy()
    nose[2] += 15  # of the 22 pixels between the eyes
    eyes[:2] += [[-15, 0], [15, 0]]  # farther apart, so that 15 pixels are a smaller share
    nowhere[4] = np.nan
    for number, wild in enumerate((nose, eyes, nowhere)):
        network = LandmarkNetwork(session(constant_points(tmp_path / f"{number}.onnx", wild)))
        assert network.locate(photo, given, box) is given


def test_landmarks_unlike_those_of_a_face_stay(tmp_path: Path) -> None:
    # As vectors orthogonal to the landmarks of a face in any rotation: the best fit maps them to a single point.
    face = (FIVE - FIVE.mean(axis=0)) @ np.array([1, 1j])
    wild = np.array([1, -1, 0, 1, -1]) + 1j * np.array([0, 1, 2, 0, -3])
    wild = wild - face * np.vdot(face, wild) / np.vdot(face, face)
    given = (np.stack([wild.real, wild.imag], axis=1) * 20 + 100).astype(np.float32)
    middle = np.tile(FIVE.mean(axis=0), (5, 1)) + 0.5
    network = LandmarkNetwork(session(constant_points(tmp_path / "l.onnx", middle)))
    found = network.locate(np.zeros((200, 200, 3), np.uint8), given, np.float32([50, 50, 150, 150]))
    assert found is given


def test_a_face_half_outside_the_photo_is_corrected(tmp_path: Path) -> None:
    network = LandmarkNetwork(session(constant_points(tmp_path / "l.onnx", FIVE + 2)))
    given = (FIVE - 50).astype(np.float32)
    found = network.locate(np.full((60, 60, 3), 90, np.uint8), given, np.float32([-40, -40, 20, 20]))
    np.testing.assert_allclose(found, given + 2, atol=0.01)


def test_coinciding_landmarks_are_corrected(tmp_path: Path) -> None:
    network = LandmarkNetwork(session(constant_points(tmp_path / "l.onnx", FIVE)))
    found = network.locate(
        np.zeros((90, 90, 3), np.uint8), np.full((5, 2), 40, np.float32), np.float32([20, 20, 70, 80])
    )
    assert np.isfinite(found).all()
    assert np.ptp(found, axis=0).max() > 15
