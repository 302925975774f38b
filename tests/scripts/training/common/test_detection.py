"""Recall and false faces of a detector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scripts.training.common.detection import Case, Found, Share, Size, false_faces, recall, remembered, truth

IMAGE = np.zeros((100, 200, 3), np.uint8)
POINTS = np.zeros((1, 5, 2))


def found(*boxes: tuple[float, ...]) -> Found:
    rows = np.array(boxes, float).reshape(-1, 5)
    return rows, np.zeros((len(rows), 5, 2))


def test_a_detection_counts_once() -> None:
    wanted = np.array([[10, 10, 50, 50], [12, 12, 52, 52], [100, 10, 140, 50]], float)
    share = recall(lambda image, size: found((10, 10, 50, 50, 0.9)), [Case(IMAGE, wanted)], 320)
    assert (share.hits, share.of) == (1, 3)


def test_a_share_is_reported_with_its_interval() -> None:
    assert Share(9, 10).report() == {"found": 9, "of": 10, "percent": 90.0, "interval_95": [59.58, 98.21]}
    assert Share(0, 0).report() == {"of": 0}


def test_false_faces_per_hundred_photos() -> None:
    report = false_faces(lambda image, size: found((0, 0, 9, 9, 0.6), (5, 5, 30, 30, 0.8)), [IMAGE] * 4, 320)
    assert report == {"false_faces": 8, "photos": 4, "per_100_photos": 200.0, "scores": [0.8, 0.8, 0.8, 0.8, 0.6]}


def test_the_truth_is_in_pixels_of_the_photo() -> None:
    def detect(image: np.ndarray, size: Size) -> Found:
        assert image.shape == (100 + 2 * 66, 200 + 2 * 66, 3)
        return found((76, 86, 116, 126, 0.9))

    boxes, points = truth(detect, IMAGE)
    assert boxes.tolist() == [[10, 20, 50, 60, 0.9]]
    assert points.tolist() == (POINTS - 66).tolist()


def test_answers_are_remembered(tmp_path: Path) -> None:
    asked = []

    def detect(image: np.ndarray, size: Size) -> Found:
        asked.append(size)
        return found((1, 2, 3, 4, 0.5))

    once = remembered(detect, tmp_path / "answers.json")
    for size in (320, 320, 640):
        assert once(IMAGE, size)[0].tolist() == [[1, 2, 3, 4, 0.5]]
    assert asked == [320, 640]


@pytest.mark.parametrize("size", [320, (64, 32)])
def test_yunet_is_asked_at_the_size_of_the_frame(size: Size, shared: Path, astronaut: np.ndarray) -> None:
    from scripts.training.common.detection import yunet

    model = shared / "models" / "teachers" / "det_yunet" / "yunet_n_dynamic.onnx"
    if not model.is_file():
        pytest.skip("needs YuNet among the teachers of ../shared")
    boxes, points = yunet(model)(astronaut, size)
    assert len(boxes) == (1 if size == 320 else 0)
    if len(boxes):
        assert np.abs(boxes[0, :4] - (170, 65, 275, 205)).max() < 40
        assert boxes[0, 0] < points[0, :, 0].min() < points[0, :, 0].max() < boxes[0, 2]
