"""Faces found in a mirrored or turned photo come back to where they are in the photo itself."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.training.common.boxes import iou, mirrored, turned_back

# A face in a photo 200 wide and 100 high: box, eyes, nose tip, mouth corners, score.
FACE = np.array([[20, 10, 60, 50, 30, 22, 50, 24, 41, 33, 32, 42, 49, 43, 0.9]], np.float64)


def test_mirroring_twice_gives_the_face_back() -> None:
    once = mirrored(FACE, 200)
    assert once[0, :4].tolist() == [140, 10, 180, 50]
    assert once[0, 4:6].tolist() == [150, 24]  # the left eye of the photo is the right one of its mirror image
    np.testing.assert_allclose(mirrored(once, 200), FACE)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_turned_back_undoes_rot90(quarter: int) -> None:
    def turn(x: float, y: float) -> tuple[float, float]:
        # np.rot90 turns anticlockwise; pixel edges, not centres.
        width, height = 200, 100
        for _ in range(quarter):
            x, y = y, width - x
            width, height = height, width
        return x, y

    turned = FACE.copy()
    for index in range(4, 14, 2):
        turned[0, index : index + 2] = turn(*FACE[0, index : index + 2])
    corners = np.array([turn(FACE[0, 0], FACE[0, 1]), turn(FACE[0, 2], FACE[0, 3])])
    turned[0, :4] = [*corners.min(axis=0), *corners.max(axis=0)]
    np.testing.assert_allclose(turned_back(turned, quarter, (100, 200, 3)), FACE)


def test_overlap_of_boxes() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float64)
    np.testing.assert_allclose(iou(boxes[0], boxes), [1, 1 / 3, 0], atol=1e-6)
