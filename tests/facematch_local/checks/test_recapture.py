"""Code 10 as fraud: the view around the face and the texture of the photo decide."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import synthetic
from facematch_local.checks import Examination, Measure, Role
from facematch_local.checks.recapture import COARSEST_STEP, SMALLEST_SIDE, TOO_COMPRESSED, TOO_SMALL, recapture
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo
from facematch_local.imaging.spectrum import period_of
from facematch_local.networks import Networks
from facematch_local.networks.recapture import RecaptureScores
from facematch_local.packs import find_pack, load_pack
from facematch_local.policy import Policy, load_policy

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy()


def _warns(policy: Policy, examination: Examination) -> bool:
    measures = {"recapture": recapture(examination)}
    return any(f.outcome.name == "WARNING" for f in policy.judge(1, Role.PORTRAIT, measures) if f.name == "recapture")


def test_a_photo_without_a_face_or_a_network_is_not_assessed(
    astronaut: Pixels, astronaut_face: Face, shipped: Networks
) -> None:
    without_face = recapture(Examination(Photo(astronaut), Role.PORTRAIT, (), shipped))
    assert (without_face.value, without_face.reason) == (None, "no face was found")
    without_network = recapture(Examination(Photo(astronaut), Role.PORTRAIT, (astronaut_face,)))
    assert without_network.value is None
    assert "lacks the network" in without_network.reason


class _Network:
    """A network with fixed scores that records its inputs."""

    def __init__(self, scores: RecaptureScores) -> None:
        self.scores = scores
        self.asked: list[tuple[tuple[int, ...], float | None]] = []

    def predict(self, crop: Pixels, period: float | None) -> RecaptureScores:
        self.asked.append((crop.shape, period))
        return self.scores


def test_the_network_gets_the_crop_and_the_period_and_decides(astronaut: Pixels, astronaut_face: Face) -> None:
    network = _Network(RecaptureScores(live=0.2, print=0.7, screen=0.1))
    networks = Networks(recapture=network)  # type: ignore[arg-type]
    measure = recapture(Examination(Photo(astronaut), Role.PORTRAIT, (astronaut_face,), networks))
    assert measure.value == pytest.approx(0.8)
    assert network.asked == [((80, 80, 3), period_of(astronaut, astronaut_face.box))]


class _Texture:
    """A texture network with a fixed answer that records how many squares it got."""

    def __init__(self, answer: float) -> None:
        self.answer = answer
        self.asked: list[int] = []

    def predict(self, tiles: NDArray[np.uint8], grid: float | None) -> float:
        self.asked.append(len(tiles))
        return self.answer


def _measured(photo: Photo, face: Face, seen: float, texture: _Texture) -> Measure:
    view = _Network(RecaptureScores(live=1 - seen, print=seen, screen=0.0))
    networks = Networks(recapture=view, texture=texture)  # type: ignore[arg-type]
    return recapture(Examination(photo, Role.PORTRAIT, (face,), networks))


@pytest.mark.parametrize(("seen", "texture"), [(0.9, 0.1), (0.1, 0.9), (0.2, 0.3)])
def test_view_or_texture_is_enough(seen: float, texture: float, astronaut: Pixels, astronaut_face: Face) -> None:
    network = _Texture(texture)
    assert _measured(Photo(astronaut), astronaut_face, seen, network).value == pytest.approx(max(seen, texture))
    (count,) = network.asked
    assert 1 <= count <= 12


def test_no_traces_in_a_small_or_compressed_photo_are_no_answer(astronaut: Pixels, astronaut_face: Face) -> None:
    small = Photo(np.ascontiguousarray(astronaut[: SMALLEST_SIDE - 1]))
    coarse = Photo(astronaut, 1.0, "JPEG", COARSEST_STEP + 0.1)
    for photo, reason in ((small, TOO_SMALL), (coarse, TOO_COMPRESSED)):
        assert _measured(photo, astronaut_face, 0.3, _Texture(0.4)) == Measure.not_assessed(reason)
        assert _measured(photo, astronaut_face, 0.3, _Texture(0.9)).value == pytest.approx(0.9)
        assert _measured(photo, astronaut_face, 0.7, _Texture(0.1)).value == pytest.approx(0.7)
    for photo in (
        Photo(np.ascontiguousarray(astronaut[:SMALLEST_SIDE])),
        Photo(astronaut, 1.0, "JPEG", COARSEST_STEP),
        Photo(astronaut, 1.0, "PNG"),
    ):
        assert _measured(photo, astronaut_face, 0.3, _Texture(0.4)).value == pytest.approx(0.4)


def test_a_photo_smaller_than_a_square_is_judged_by_its_view_alone(astronaut: Pixels, astronaut_face: Face) -> None:
    tiny = Photo(np.ascontiguousarray(astronaut[60:150, 150:290]))
    face = Face(astronaut_face.box - np.tile(np.float32([150, 60]), 2), astronaut_face.landmarks, 0.9)
    network = _Texture(0.9)
    assert _measured(tiny, face, 0.7, network).value == pytest.approx(0.7)
    assert _measured(tiny, face, 0.3, network) == Measure.not_assessed(TOO_SMALL)
    assert network.asked == []


@pytest.fixture(scope="module")
def shipped() -> Networks:
    return load_pack(find_pack("compact")).networks


def _share_warned(policy: Policy, networks: Networks, photos: list[Pixels], face: Face) -> float:
    examinations = [Examination(Photo(pixels), Role.PORTRAIT, (face,), networks) for pixels in photos]
    assert all(recapture(examination).value is not None for examination in examinations)
    return sum(_warns(policy, examination) for examination in examinations) / len(examinations)


def test_the_shipped_network_passes_edited_live_photos(
    astronaut: Pixels, astronaut_face: Face, policy: Policy, shipped: Networks
) -> None:
    grain = np.random.default_rng(1).normal(0, 6, astronaut.shape)
    sharp = astronaut + 1.0 * (astronaut.astype(np.float32) - cv2.GaussianBlur(astronaut, (0, 0), 1.5))
    photos = [
        astronaut,
        np.clip(astronaut + grain, 0, 255).astype(np.uint8),
        np.clip(sharp, 0, 255).astype(np.uint8),
        synthetic.jpeg(astronaut, 50),
        synthetic.gaussian_blur(astronaut, 2.0),
        cv2.bilateralFilter(astronaut, 9, 50, 5).astype(np.uint8),
    ]
    assert _share_warned(policy, shipped, photos, astronaut_face) == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["print", "screen"])
def test_the_shipped_network_detects_synthetic_recaptures(
    kind: str, astronaut: Pixels, astronaut_face: Face, policy: Policy, shipped: Networks
) -> None:
    again = synthetic.print_recapture if kind == "print" else synthetic.screen_recapture
    portrait, scale, start = astronaut[:260, 95:355], np.float32(700 / 260), np.float32([95, 0])
    box = (astronaut_face.box - np.tile(start, 2)) * scale
    face = Face(box, (astronaut_face.landmarks - start) * scale, astronaut_face.score)
    large = synthetic.fitted_to(portrait, 700)
    assert _share_warned(policy, shipped, [large], face) == 0
    photos = [again(large, np.random.default_rng(seed)) for seed in range(10)]
    assert _share_warned(policy, shipped, photos, face) >= 0.9


@pytest.mark.slow
def test_the_shipped_network_needs_neither_a_rim_nor_a_period(
    astronaut: Pixels, astronaut_face: Face, policy: Policy, shipped: Networks
) -> None:
    """The face is small, so the rim is outside the crop and the period is weak."""
    photos = [synthetic.screen_recapture(astronaut, np.random.default_rng(seed)) for seed in range(6)]
    periods = [period_of(pixels, astronaut_face.box) or 0.0 for pixels in photos]
    assert np.median(periods) < 2.1
    assert _share_warned(policy, shipped, photos, astronaut_face) > 0.6
