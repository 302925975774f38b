"""When a look is enough and which faces count, at the limits; detector, filter and recogniser give fixed answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.faces import Face, FaceAnalyser

Pixels = NDArray[np.uint8]
PHOTO = np.zeros((400, 400, 3), np.uint8)


@dataclass
class _Detector:
    """Finds one square face in the middle: its side as a share of the photo, its score, its roll in degrees.

    It remembers the size of the network's input and the shape of the picture of each look.
    """

    side: float = 0.5
    score: float = 0.9
    roll: float = 0.0
    looks: list[tuple[int, int]] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def detect(
        self,
        img: Pixels,
        input_size: tuple[int, int] | None = None,
        max_num: int = 0,
        metric: str = "default",
        det_thresh: float | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        assert input_size is not None
        self.looks.append(input_size)
        self.shapes.append(img.shape[:2])
        if self.score < (det_thresh or 0.0):
            return np.empty((0, 5), np.float32), np.empty((0, 5, 2), np.float32)
        height, width = img.shape[:2]
        x, y, half = width / 2, height / 2, self.side * width / 2
        # On whole numbers: float32 has no room for noise in the roll.
        points = np.array([(-16, -16), (16, -16), (0, 0), (-16, 16), (16, 16)], float) @ _turn(self.roll) + (x, y)
        box = (x - half, y - half, x + half, y + half, self.score)
        return np.array([box], np.float32), np.array([points], np.float32)


def _turn(degrees: float) -> NDArray[np.float64]:
    angle = math.radians(degrees)
    return np.array([(math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))])


@dataclass
class _Recogniser:
    """Embeds a crop by its left third: (0.1, 0) where that is black, else (0, 5)."""

    input_size: tuple[int, int] = (112, 112)

    def get_feat(self, imgs: Sequence[Pixels]) -> NDArray[np.float32]:
        return np.array([(0.1, 0.0) if img[:, :40].max() == 0 else (0.0, 5.0) for img in imgs], np.float32)


@dataclass
class _Filter:
    says: float

    def confirm(self, pixels: Pixels, box: NDArray[np.float32], score: float) -> float:
        return self.says


@pytest.mark.parametrize(("roll", "looks"), [(0, 1), (49.5, 1), (-49.5, 1), (50.5, 5), (-50.5, 5)])
def test_a_sure_face_that_leans_by_50_degrees_may_lie(roll: float, looks: int) -> None:
    detector = _Detector(roll=roll)
    (face,) = FaceAnalyser(detector, _Recogniser()).find(PHOTO)
    assert face.roll == pytest.approx(roll, abs=1e-3)
    assert len(detector.looks) == looks


@pytest.mark.parametrize(("score", "looks"), [(0.71, 1), (0.69, 5)])
def test_an_upright_face_is_sure_from_a_confidence_of_seven_tenths(score: float, looks: int) -> None:
    detector = _Detector(score=score)
    assert len(FaceAnalyser(detector, _Recogniser()).find(PHOTO)) == 1
    assert len(detector.looks) == looks


@pytest.mark.parametrize(
    ("side", "shape"),
    [
        (0.3, (241, 241)),  # a face of 120 pixels with 60 more on each side
        (0.4, (321, 321)),
        (0.6, (400, 400)),  # as far as the photo goes
    ],
)
def test_an_unsure_face_is_looked_at_with_half_its_size_on_each_side(side: float, shape: tuple[int, int]) -> None:
    detector = _Detector(side=side, score=0.6)
    FaceAnalyser(detector, _Recogniser()).find(PHOTO)
    assert detector.shapes == [(400, 400), *4 * [shape]]


@pytest.mark.parametrize(
    ("side", "says", "found"),
    [
        (0.16, 0.5, True),  # large: the confidence of every face
        (0.16, 0.49, False),
        (0.14, 0.8, True),  # small: a higher one
        (0.14, 0.79, False),
    ],
)
def test_what_the_face_filter_must_say_of_large_and_small_faces(side: float, says: float, found: bool) -> None:
    analyser = FaceAnalyser(_Detector(side=side, score=0.6), _Recogniser(), confirmer=_Filter(says))
    assert bool(analyser.find(PHOTO)) is found


@pytest.mark.parametrize(("score", "says", "shown"), [(0.6, 0.9, 0.6), (0.4, 0.9, 0.9), (0.4, 0.55, 0.55)])
def test_a_faint_face_has_the_confidence_of_detector_and_filter_together(
    score: float, says: float, shown: float
) -> None:
    analyser = FaceAnalyser(_Detector(score=score), _Recogniser(), confirmer=_Filter(says))
    assert [face.score for face in analyser.find(PHOTO)] == pytest.approx([shown])


def test_photo_and_mirrored_photo_count_alike() -> None:
    """Embeddings of different lengths: (0.1, 0) and (0, 5)."""
    pixels = PHOTO.copy()
    pixels[:, 200:] = 255
    points = np.array([(181, 170), (219, 170), (200, 190), (185, 212), (215, 212)], np.float32)
    face = Face(np.array([150, 130, 250, 250], np.float32), points, 0.9)
    for mirror, expected in ((False, [1.0, 0.0]), (True, [0.5**0.5, 0.5**0.5])):
        embedded = FaceAnalyser(_Detector(), _Recogniser(), mirror=mirror).embed(pixels, face).embedding
        assert embedded == pytest.approx(expected, abs=1e-6)
