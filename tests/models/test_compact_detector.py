"""The shipped detector finds faces in photos from installed packages."""

from __future__ import annotations

import tomllib
from hashlib import sha256
from pathlib import Path

import cv2
import insightface
import numpy as np
import pytest
from insightface.model_zoo import get_model
from insightface.model_zoo.scrfd import SCRFD
from numpy.typing import NDArray
from skimage import data

PACK = Path(__file__).parents[2] / "models" / "compact"


@pytest.fixture(scope="module")
def detector() -> SCRFD:
    return get_model(str(PACK / "det.onnx"), providers=["CPUExecutionProvider"])


def test_the_checksum_matches_the_manifest() -> None:
    role = tomllib.loads((PACK / "pack.toml").read_text("utf-8"))["tasks"]["detection"]
    assert sha256((PACK / role["file"]).read_bytes()).hexdigest() == role["sha256"]


def test_opens_as_a_landmark_detector_of_free_input_size(detector: SCRFD) -> None:
    assert detector.taskname == "detection"
    assert detector.use_kps
    assert detector.static_input_size is None


@pytest.mark.parametrize("size", [(256, 256), (320, 320), (640, 640), (640, 480)])
def test_one_face_with_landmarks_in_order(detector: SCRFD, astronaut: NDArray[np.uint8], size: tuple[int, int]) -> None:
    boxes, landmarks = detector.detect(astronaut, input_size=size, det_thresh=0.5)
    assert len(boxes) == 1
    x0, y0, x1, y1 = boxes[0, :4]
    assert x0 < 224 < x1  # the nose of Eileen Collins
    assert y0 < 117 < y1
    left_eye, right_eye, nose, left_mouth, right_mouth = landmarks[0]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]


def test_every_face_of_a_group(detector: SCRFD) -> None:

    photo = cv2.imread(str(Path(insightface.__file__).parent / "data" / "images" / "t1.jpg"))
    boxes, _ = detector.detect(photo, input_size=(640, 640), det_thresh=0.5)
    assert len(boxes) == 6


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket"])
def test_a_photo_without_a_face(detector: SCRFD, name: str) -> None:
    photo = cv2.cvtColor(getattr(data, name)(), cv2.COLOR_RGB2BGR)
    for size in (320, 640):
        assert len(detector.detect(photo, input_size=(size, size), det_thresh=0.5)[0]) == 0
