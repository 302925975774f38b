"""What the checks share of one photo: the compared face, its grey pixels, the networks' scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.checks import Examination, Role
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo
from facematch_local.networks import Networks
from facematch_local.networks.document import DocumentScores, Window

Pixels = NDArray[np.uint8]


def _face(eye_distance: float, left: float, top: float, right: float, bottom: float) -> Face:
    """A face with its eyes so far apart and its mouth near them."""
    half = eye_distance / 2
    landmarks = np.array([(100 - half, 100), (100 + half, 100), (100, 101), (99, 102), (101, 102)], np.float32)
    return Face(np.array([left, top, right, bottom], np.float32), landmarks, 0.9)


def _examination(face: Face | None, height: int = 200, width: int = 300, **networks: Any) -> Examination:
    rows, columns = np.mgrid[:height, :width]
    pixels = np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=2).astype(np.uint8)
    return Examination(Photo(pixels), Role.CARD, () if face is None else (face,), Networks(**networks))


def test_the_largest_face_is_compared() -> None:
    large, small = _face(40, 50, 50, 150, 150), _face(4, 0, 0, 9, 9)
    assert Examination(Photo(np.zeros((9, 9, 3), np.uint8)), Role.CARD, (large, small)).face is large
    assert _examination(None).face is None


@pytest.mark.parametrize(
    ("eye_distance", "shape"),
    [
        (24.0, (90, 60)),
        (48.0, (90, 60)),  # no more than 48 pixels between the eyes: as it is
        (96.0, (45, 30)),
        (480.0, (9, 6)),
        (9600.0, (1, 1)),  # never less than a pixel
        (0.0, (90, 60)),
    ],
)
def test_the_face_in_grey_is_reduced_to_48_pixels_between_the_eyes(eye_distance: float, shape: tuple[int, int]) -> None:
    grey = _examination(_face(eye_distance, 20, 30, 80, 120)).face_grey
    assert grey is not None
    assert (grey.shape, grey.dtype) == (shape, np.float32)


def test_the_face_in_grey_holds_the_pixels_of_the_box() -> None:
    examination = _examination(_face(40, 20, 30, 80, 120))
    blue, green, red = (examination.photo.pixels[30:120, 20:80, channel].astype(float) for channel in range(3))
    assert examination.face_grey == pytest.approx(0.114 * blue + 0.587 * green + 0.299 * red, abs=1.0)


@pytest.mark.parametrize(
    ("box", "shape"),
    [((-20, -30, 40, 60), (60, 40)), ((260, 170, 400, 400), (30, 40)), ((-9, -9, 400, 400), (200, 300))],
)
def test_a_box_that_reaches_beyond_the_photo_ends_there(
    box: tuple[float, float, float, float], shape: tuple[int, int]
) -> None:
    grey = _examination(_face(40, *box)).face_grey
    assert grey is not None
    assert grey.shape == shape


@pytest.mark.parametrize("box", [(300, 0, 400, 100), (0, 200, 100, 300), (-100, 0, 0, 100), (0, -100, 100, 0)])
def test_a_box_outside_the_photo_has_no_grey_pixels(box: tuple[float, float, float, float]) -> None:
    assert _examination(_face(40, *box)).face_grey is None


def test_without_a_face_there_are_no_analyses_of_one() -> None:
    examination = _examination(None)
    assert (examination.face_grey, examination.head_crop, examination.period) == (None, None, None)
    assert (examination.recompression, examination.occlusion, examination.recapture) == (None, None, None)


class _Document:
    def predict(self, pixels: Pixels, face: Face | None) -> DocumentScores:
        return DocumentScores(0.5, np.ones((24, 24), np.float32), (0, 0, 300, 200))

    def look(self, pixels: Pixels, window: Window) -> DocumentScores:
        return DocumentScores(0.75, np.ones((24, 24), np.float32), window)


def test_the_document_network_looks_twice_where_there_is_one() -> None:
    examination = _examination(None, document=_Document())
    assert examination.document_scores is not None
    assert examination.closer_document_scores is not None
    assert (examination.document_scores.document, examination.closer_document_scores.document) == (0.5, 0.75)
    without = _examination(None)
    assert (without.document_scores, without.closer_document_scores) == (None, None)
