"""Detection and embedding of faces: the order of passes with a fake detector, results with real weights."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.faces import DetectionSettings, Face, FaceAnalyser, cosine
from facematch_local.matcher import FaceMatcher
from tests.facematch_local.faces.doubles import FakeConfirmer, FakeDetector, FakeRecogniser

Pixels = NDArray[np.uint8]


def analyser_of(detector: FakeDetector) -> FaceAnalyser:
    return FaceAnalyser(detector, FakeRecogniser())


def blank(height: int, width: int) -> Pixels:
    return np.zeros((height, width, 3), np.uint8)


LARGE, SMALL = (0.3, 0.2, 0.7, 0.8), (0.4, 0.4, 0.5, 0.5)


def test_a_large_face_needs_one_pass() -> None:
    detector = FakeDetector([SMALL, LARGE])
    faces = analyser_of(detector).find(blank(600, 800))
    assert detector.looks == [(320, 256)]
    assert [round(face.width) for face in faces] == [320, 80]  # largest first


def test_a_small_face_gets_a_second_pass_at_full_size() -> None:
    detector = FakeDetector([SMALL])
    analyser_of(detector).find(blank(600, 800))
    assert detector.looks == [(320, 256), (640, 480)]


def test_without_a_face_all_passes_run_cheapest_first() -> None:
    detector = FakeDetector()
    assert analyser_of(detector).find(blank(1500, 2000)) == ()
    assert detector.looks == [(320, 256), (640, 480), (256, 224), (1280, 960), (256, 320), (256, 320), (320, 256)]


def test_small_photos_are_not_enlarged() -> None:
    detector = FakeDetector()
    analyser_of(detector).find(blank(480, 640))
    assert (1280, 960) not in detector.looks


def test_close_up_coordinates_are_in_pixels_of_the_photo() -> None:
    (face,) = analyser_of(FakeDetector([(0.25, 0.25, 0.75, 0.75)], at=2)).find(blank(800, 800))
    # The third pass adds a margin around the photo; half of that view is three quarters of the photo.
    assert face.box == pytest.approx([100, 100, 700, 700], abs=10)
    assert face.landmarks[0] == pytest.approx([100, 100], abs=10)


class UprightOnly(FakeDetector):
    """Finds the white rectangle in photos whose top row is the brightest."""

    def detect(
        self,
        img: Pixels,
        input_size: tuple[int, int] | None = None,
        max_num: int = 0,
        metric: str = "default",
        det_thresh: float | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        rows, columns = np.nonzero(img[:, :, 0] == 255)
        if img[0].mean() < 150 or not len(rows):
            return np.empty((0, 5), np.float32), np.empty((0, 5, 2), np.float32)
        left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        landmarks = [(left, top), (right, top), (left, top), (left, bottom), (right, bottom)]
        return np.array([(left, top, right, bottom, 0.9)], np.float32), np.array([landmarks], np.float32)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_coordinates_from_rotated_photos_are_in_pixels_of_the_photo(quarters: int) -> None:
    upright = blank(200, 300)
    upright[0] = 200  # marks the top
    upright[80:120, 50:110] = 255
    pixels = np.ascontiguousarray(np.rot90(upright, quarters))
    (face,) = analyser_of(UprightOnly()).find(pixels)
    rows, columns = np.nonzero(pixels[:, :, 0] == 255)
    assert face.box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert face.roll % 360 == {1: 270, 2: 180, 3: 90}[quarters]


def test_an_uncertain_face_is_examined_in_all_rotations() -> None:
    detector = FakeDetector([LARGE], score=0.55)
    (face,) = analyser_of(detector).find(blank(600, 800))
    assert face.score == pytest.approx(0.55)
    assert detector.looks[0] == (320, 256)
    assert len(detector.looks) == 5
    assert all(max(look) == 160 for look in detector.looks[1:])


def test_the_rotation_with_the_highest_score_is_preferred() -> None:
    detector = FakeDetector([(0.2, 0.3, 0.6, 0.8)], score=0.5, gain=0.06)
    (face,) = analyser_of(detector).find(blank(300, 300))
    assert len(detector.looks) == 6  # one, four of the surroundings, and the whole photo rotated
    assert face.score == pytest.approx(0.8)
    assert abs(face.roll) == 180  # the last rotation had the highest score


@pytest.mark.parametrize("shape", [(1, 1), (1, 2560), (2560, 3), (7, 200)])
def test_thin_strips_have_no_face(shape: tuple[int, int], matcher: FaceMatcher) -> None:
    assert matcher.pack.analyser.find(blank(*shape)) == ()


def test_an_embedding_of_zeros_stays_finite() -> None:
    analyser = analyser_of(FakeDetector([LARGE]))
    (face,) = analyser.find(blank(200, 200))
    embedded = analyser.embed(blank(200, 200), face)
    assert cosine(embedded, embedded) == 0.0


def test_the_landmarks_of_every_face_are_corrected() -> None:
    class Locator:
        def locate(self, pixels: object, landmarks: np.ndarray, box: np.ndarray) -> np.ndarray:
            return landmarks + np.float32(3)

    plain = analyser_of(FakeDetector([LARGE]))
    found = replace(plain, locator=Locator()).find(blank(200, 200))
    for face, given in zip(found, plain.find(blank(200, 200)), strict=True):
        np.testing.assert_array_equal(face.landmarks, given.landmarks + 3)
        np.testing.assert_array_equal(face.box, given.box)


def test_only_the_largest_face_gets_further_landmark_passes() -> None:
    class Locator:
        def locate(self, pixels: object, landmarks: np.ndarray, box: np.ndarray) -> np.ndarray:
            return landmarks + np.float32(3)

    plain = analyser_of(FakeDetector([LARGE, (0.8, 0.8, 0.9, 0.9)]))
    given = plain.find(blank(200, 200))
    looks = replace(plain, locator=Locator(), settings=DetectionSettings(landmark_looks=3)).find(blank(200, 200))
    np.testing.assert_array_equal(looks[0].landmarks, given[0].landmarks + 9)
    np.testing.assert_array_equal(looks[1].landmarks, given[1].landmarks + 3)


@pytest.mark.parametrize(
    ("score", "says", "found"), [(0.6, 0.99, [0.6]), (0.6, 0.01, []), (0.3, 0.99, [0.99]), (0.3, 0.4, [])]
)
def test_the_face_filter_examines_uncertain_faces(score: float, says: float, found: list[float]) -> None:
    plain = analyser_of(FakeDetector([LARGE], score=score))
    faces = replace(plain, face_filter=FakeConfirmer(says)).find(blank(200, 200))
    assert [face.score for face in faces] == pytest.approx(found)


def test_a_confident_face_needs_no_filter_and_no_search_for_faint_ones() -> None:
    face_filter, detector = FakeConfirmer(0.01), FakeDetector([LARGE], score=0.9)
    faces = replace(analyser_of(detector), face_filter=face_filter).find(blank(200, 200))
    assert [face.score for face in faces] == pytest.approx([0.9])
    assert (face_filter.asked, len(detector.looks)) == (0, 1)


def test_the_next_pass_runs_if_the_filter_rejects_the_first_face() -> None:
    class Detector(FakeDetector):
        """Finds a large object in the coarse pass and a small face in the finer one."""

        def detect(
            self, img: Pixels, input_size: tuple[int, int] | None = None, *args: object, **kwargs: object
        ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
            coarse = input_size == (320, 320)
            self.faces, self.score = ([LARGE], 0.6) if coarse else ([SMALL], 0.95)
            return super().detect(img, input_size)

    faces = replace(analyser_of(Detector()), face_filter=FakeConfirmer(0.1)).find(blank(1000, 1000))
    assert [round(face.width) for face in faces] == [100]


def test_faint_faces_are_few_and_large() -> None:
    asked = {}
    for size in (0.1, 0.3):
        face_filter = FakeConfirmer(0.01)
        detector = FakeDetector([(0.01 * n, 0.1, size + 0.01 * n, 0.1 + size) for n in range(50)], score=0.3)
        assert not replace(analyser_of(detector), face_filter=face_filter).find(blank(200, 200))
        asked[size] = face_filter.asked
    assert asked == {0.1: 0, 0.3: 2 * DetectionSettings().most_candidates}
    pair = FakeDetector([(0.6, 0.6, 1.0, 1.0), (0.0, 0.0, 0.8, 0.8)], score=0.3)
    faces = replace(analyser_of(pair), face_filter=FakeConfirmer(0.8)).find(blank(200, 200))
    assert [round(face.width) for face in faces] == [160, 80]  # largest first


@pytest.mark.parametrize(("rows", "seconds"), [(10, 2), pytest.param(50, 10, marks=pytest.mark.slow)])
def test_a_sheet_of_many_small_patterns_costs_little(rows: int, seconds: float) -> None:
    """The face filter runs a limited number of times, and all boxes are compared at once."""
    grid = [(x / 60, y / 60, (x + 0.9) / 60, (y + 0.9) / 60) for x in range(60) for y in range(rows)]
    face_filter = FakeConfirmer(0.01)
    assert not replace(analyser_of(FakeDetector(grid, score=0.6)), face_filter=face_filter).find(blank(2000, 2000))
    assert 0 < face_filter.asked <= 8 * DetectionSettings().most_confirmed
    begun = time.process_time()
    assert len(analyser_of(FakeDetector(grid, score=0.9)).find(blank(2000, 2000))) == 60 * rows
    found = replace(analyser_of(FakeDetector(grid, score=0.9)), face_filter=face_filter).find(blank(2000, 2000))
    assert len(found) == 60 * rows
    # A second for 50 rows; comparing box by box took a minute.
    assert time.process_time() - begun < seconds


@pytest.mark.parametrize(
    ("second", "count"),
    [
        ((0.32, 0.32, 0.72, 0.72), 1),  # the same face boxed twice
        ((0.40, 0.40, 0.62, 0.62), 1),  # a part of it
        ((0.45, 0.45, 0.55, 0.55), 2),  # a face on its shirt
        ((0.62, 0.30, 1.00, 0.70), 2),  # cheek to cheek
    ],
)
def test_one_face_is_not_found_twice(second: tuple[float, float, float, float], count: int) -> None:
    pair = analyser_of(FakeDetector([LARGE, second], score=0.95))
    assert len(replace(pair, face_filter=FakeConfirmer(0.99)).find(blank(400, 400))) == count


def test_a_box_with_nan_is_not_a_face() -> None:
    nowhere = FakeDetector([(float("nan"), 0.1, 0.5, 0.6)], score=0.6)
    assert not replace(analyser_of(nowhere), face_filter=FakeConfirmer(0.9)).find(blank(200, 200))


@pytest.mark.parametrize("far", [-1e30, -50.0, 50.0, 1e9, float("inf")])
def test_a_box_or_landmarks_far_outside_the_photo_are_not_a_face(far: float) -> None:
    near = FakeDetector([(-1.5, -1.0, 0.9, 2.5)])
    assert analyser_of(near).find(blank(200, 200))
    for box in ((far, 0.1, 0.5, 0.6), (0.1, 0.1, 0.5, far)):
        assert not analyser_of(FakeDetector([box])).find(blank(200, 200))


def test_landmarks_with_nan_are_not_a_face(monkeypatch: pytest.MonkeyPatch) -> None:
    detector, detect = FakeDetector([LARGE]), FakeDetector.detect

    def lost(self: FakeDetector, *args: Any, **kwargs: Any) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        boxes, landmarks = detect(self, *args, **kwargs)
        return boxes, None if landmarks is None else landmarks * np.float32("nan")

    assert analyser_of(detector).find(blank(200, 200))
    monkeypatch.setattr(FakeDetector, "detect", lost)
    assert not analyser_of(detector).find(blank(200, 200))


def test_cosine_needs_embeddings() -> None:
    (face,) = analyser_of(FakeDetector([LARGE])).find(blank(200, 200))
    with pytest.raises(ValueError, match="embedded"):
        cosine(face, face)


def test_inter_eye_distance_does_not_shrink_in_profile() -> None:
    frontal = np.array([[40, 50], [75, 50], [57, 70], [43, 91], [72, 91]], np.float32)
    profile = frontal.copy()
    profile[:, 0] = 57 + (frontal[:, 0] - 57) * 0.3
    box = np.array([20, 20, 100, 110], np.float32)
    assert Face(box, profile, 1.0).inter_eye_distance == pytest.approx(
        Face(box, frontal, 1.0).inter_eye_distance, rel=0.05
    )


def test_only_the_largest_of_a_thousand_faces_are_located() -> None:
    """All faces are found, but the work on them is limited."""
    sides = np.linspace(200, 10, 1000).astype(np.float32)
    boxes = np.stack([0 * sides, 0 * sides, sides, sides, 0 * sides + 0.9], axis=1)
    points = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)], np.float32)
    landmarks = sides[:, None, None] * points
    looked_at: list[float] = []

    class Sheet:
        def detect(self, *_: object, **__: object) -> object:
            return boxes, landmarks

    class Locator:
        def locate(self, pixels: object, landmarks: object, box: NDArray[np.float32]) -> object:
            looked_at.append(float(box[2]))
            return landmarks

    analyser = FaceAnalyser(Sheet(), None, locator=Locator())  # type: ignore[arg-type]
    faces = analyser.find(np.zeros((640, 640, 3), np.uint8))
    assert len(faces) == 1000
    assert looked_at == [face.width for face in faces[:4]]
