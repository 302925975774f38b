"""When a look is enough and which faces count, at the limits; detector, filter and recogniser give fixed answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.faces import Face, FaceAnalyser
from tests.facematch_local.faces.doubles import CentredFace, FakeConfirmer, LeftThirdRecogniser

Pixels = NDArray[np.uint8]
PHOTO = np.zeros((400, 400, 3), np.uint8)


@pytest.mark.parametrize(("roll", "looks"), [(0, 1), (49.5, 1), (-49.5, 1), (50.5, 5), (-50.5, 5)])
def test_a_sure_face_that_leans_by_50_degrees_may_lie(roll: float, looks: int) -> None:
    detector = CentredFace(roll=roll)
    (face,) = FaceAnalyser(detector, LeftThirdRecogniser()).find(PHOTO)
    assert face.roll == pytest.approx(roll, abs=1e-3)
    assert len(detector.looks) == looks


@pytest.mark.parametrize(
    ("side", "score", "sizes"),
    [
        (0.15, 0.9, [640]),  # small and sure
        (0.19, 0.71, [640]),
        (0.21, 0.9, [640, 320]),  # the first pass might find it large
        (0.5, 0.9, [640, 320]),
        (0.15, 0.69, [640, 320, *4 * [160]]),  # not sure
    ],
)
def test_where_a_small_face_is_likely_the_pass_for_small_ones_comes_first(
    side: float, score: float, sizes: list[int]
) -> None:
    detector = CentredFace(side=side, score=score)
    (face,) = FaceAnalyser(detector, LeftThirdRecogniser()).find(PHOTO, small=True)
    assert [max(look) for look in detector.looks] == sizes
    assert face.longer_side == pytest.approx(400 * side)


@pytest.mark.parametrize("small", [False, True])
def test_no_pass_is_repeated(small: bool) -> None:
    detector = CentredFace(score=0.1)
    assert FaceAnalyser(detector, LeftThirdRecogniser()).find(PHOTO, small=small) == ()
    assert sorted(max(look) for look in detector.looks[:3]) == [256, 320, 640]


def test_a_large_face_is_that_of_the_coarse_pass_whichever_comes_first() -> None:
    class Growing(CentredFace):
        """The coarse pass finds the face larger than the fine one."""

        def found(self, height: int, width: int) -> tuple[Sequence[Sequence[float]], Sequence[object]]:
            self.side = 0.4 if max(self.looks[-1]) == 320 else 0.35
            return super().found(height, width)

    sides = [
        FaceAnalyser(Growing(), LeftThirdRecogniser()).find(PHOTO, small=small)[0].width for small in (False, True)
    ]
    assert sides == pytest.approx([160, 160])


@pytest.mark.parametrize(("score", "looks"), [(0.71, 1), (0.69, 5)])
def test_an_upright_face_is_sure_from_a_confidence_of_seven_tenths(score: float, looks: int) -> None:
    detector = CentredFace(score=score)
    assert len(FaceAnalyser(detector, LeftThirdRecogniser()).find(PHOTO)) == 1
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
    detector = CentredFace(side=side, score=0.6)
    FaceAnalyser(detector, LeftThirdRecogniser()).find(PHOTO)
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
    analyser = FaceAnalyser(CentredFace(side=side, score=0.6), LeftThirdRecogniser(), face_filter=FakeConfirmer(says))
    assert bool(analyser.find(PHOTO)) is found


@pytest.mark.parametrize(("score", "says", "shown"), [(0.6, 0.9, 0.6), (0.4, 0.9, 0.9), (0.4, 0.55, 0.55)])
def test_a_faint_face_has_the_confidence_of_detector_and_filter_together(
    score: float, says: float, shown: float
) -> None:
    analyser = FaceAnalyser(CentredFace(score=score), LeftThirdRecogniser(), face_filter=FakeConfirmer(says))
    assert [face.score for face in analyser.find(PHOTO)] == pytest.approx([shown])


def test_photo_and_mirrored_photo_count_alike() -> None:
    """Embeddings of different lengths: (0.1, 0) and (0, 5)."""
    points = np.array([(181, 170), (219, 170), (200, 190), (185, 212), (215, 212)], np.float32)
    face = Face(np.array([150, 130, 250, 250], np.float32), points, 0.9)
    for bright, plain in ((slice(200, None), [1.0, 0.0]), (slice(None, 200), [0.0, 1.0])):
        pixels = PHOTO.copy()
        pixels[:, bright] = 255
        for mirror, expected in ((False, plain), (True, [0.5**0.5, 0.5**0.5])):
            embedded = FaceAnalyser(CentredFace(), LeftThirdRecogniser(), mirror=mirror).embed(pixels, face).embedding
            assert embedded == pytest.approx(expected, abs=1e-6)
