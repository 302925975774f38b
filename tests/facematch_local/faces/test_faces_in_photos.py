"""The search for faces with real weights, in photos of people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.faces import Face, FaceAnalyser, cosine
from facematch_local.imaging.decode import decode
from facematch_local.matcher import FaceMatcher

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def analyser(matcher: FaceMatcher) -> FaceAnalyser:
    return matcher.pack.analyser


@pytest.fixture(scope="module")
def reference(analyser: FaceAnalyser, astronaut: Pixels) -> Face:
    return analyser.embed(astronaut, analyser.find(astronaut)[0])


def same_person(analyser: FaceAnalyser, pixels: Pixels, reference: Face) -> float:
    faces = analyser.find(pixels)
    assert faces, "no face found"
    return cosine(analyser.embed(pixels, faces[0]), reference)


def test_embeddings_have_length_one(reference: Face) -> None:
    assert reference.embedding is not None
    assert reference.embedding.dtype == np.float32
    assert np.linalg.norm(reference.embedding) == pytest.approx(1.0, abs=1e-5)


def test_everyone_in_a_group_is_found(analyser: FaceAnalyser, group_photo: Pixels) -> None:
    faces = analyser.find(group_photo)
    assert len(faces) == 6
    assert all(first.area >= second.area for first, second in pairwise(faces))


def test_a_photo_that_is_not_square_gives_the_same_faces_as_a_square_input(
    analyser: FaceAnalyser, group_photo: Pixels
) -> None:
    boxes, landmarks = analyser.detector.detect(group_photo, input_size=(640, 640), det_thresh=0.5)
    assert landmarks is not None
    for face in replace(analyser, locator=None).find(group_photo):
        nearest = int(np.abs(landmarks - face.landmarks).max(axis=(1, 2)).argmin())
        assert np.abs(landmarks[nearest] - face.landmarks).max() < 1.0
        assert np.abs(boxes[nearest, :4] - face.box).max() < 1.5


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_rotated_photos(analyser: FaceAnalyser, astronaut: Pixels, reference: Face, quarters: int) -> None:
    turned = np.ascontiguousarray(np.rot90(astronaut, quarters))
    assert same_person(analyser, turned, reference) > 0.6


@pytest.mark.parametrize("share", [1.6, 1.2, 1.0, 0.85])
@pytest.mark.parametrize("side", [160, 1200])
def test_close_ups(analyser: FaceAnalyser, astronaut: Pixels, reference: Face, share: float, side: int) -> None:
    """The face fills the frame or extends beyond it."""
    middle, half = (reference.box[:2] + reference.box[2:]) / 2, share * reference.height / 2
    left, top, right, bottom = (int(v) for v in np.clip([*(middle - half), *(middle + half)], 0, 512))
    close_up = cv2.resize(astronaut[top:bottom, left:right], (side, side)).astype(np.uint8)
    assert same_person(analyser, close_up, reference) > 0.5


def test_a_small_face_in_a_large_photo(analyser: FaceAnalyser, astronaut: Pixels, reference: Face) -> None:
    photo = np.full((2000, 2500, 3), 180, np.uint8)
    photo[700:1000, 1500:1800] = cv2.resize(astronaut, (300, 300), interpolation=cv2.INTER_AREA)
    assert same_person(analyser, photo, reference) > 0.5


def test_no_face(analyser: FaceAnalyser) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (400, 600, 3)).astype(np.uint8)
    assert analyser.find(noise) == ()
    assert analyser.find(np.zeros((400, 600, 3), np.uint8)) == ()


@pytest.mark.slow
@pytest.mark.usefixtures("real_inference")
def test_threads_share_an_analyser(analyser: FaceAnalyser, astronaut: Pixels, group_photo: Pixels) -> None:
    photos = [astronaut, group_photo[:, :900], np.ascontiguousarray(astronaut[::2, ::2])]

    def look(pixels: Pixels) -> list[NDArray[np.float32]]:
        faces = analyser.find(pixels)
        embedding = analyser.embed(pixels, faces[0]).embedding
        assert embedding is not None
        return [embedding, *(face.box for face in faces)]

    expected = [look(photo) for photo in photos]
    with ThreadPoolExecutor(6) as pool:
        for index, actual in enumerate(pool.map(look, photos * 3)):
            assert len(actual) == len(expected[index % len(photos)])
            for one, other in zip(actual, expected[index % len(photos)], strict=True):
                assert np.array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["lfw", "asian_faces"])
def test_no_portrait_without_a_face(analyser: FaceAnalyser, shared: Path, folder: str) -> None:
    photos = sorted((shared / "data" / folder).rglob("*.jp*g"))[:: 12 if folder == "lfw" else 1]
    missed = [path.name for path in photos if not analyser.find(decode(path.read_bytes()).pixels)]
    assert not missed


def test_mirror_makes_photo_and_mirrored_photo_the_same(matcher: FaceMatcher, astronaut: Pixels) -> None:
    analyser = matcher.pack.analyser
    face = analyser.find(astronaut)[0]
    both = FaceAnalyser(analyser.detector, analyser.recogniser, analyser.settings, mirror=True)
    mirrored = astronaut[:, ::-1].copy()
    points = face.landmarks.copy()
    points[:, 0] = astronaut.shape[1] - 1 - points[:, 0]
    # Mirroring swaps left and right.
    swapped = Face(face.box, points[[1, 0, 2, 4, 3]], face.score)
    plain = cosine(analyser.embed(astronaut, face), analyser.embed(mirrored, swapped))
    averaged = cosine(both.embed(astronaut, face), both.embed(mirrored, swapped))
    assert plain <= averaged + 1e-6  # equal if the network itself averages both, like that of compact
    assert averaged > 0.98
    embedding = both.embed(astronaut, face).embedding
    assert embedding is not None
    assert float(np.linalg.norm(embedding)) == pytest.approx(1.0, abs=1e-5)
