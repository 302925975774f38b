"""Code 10 as fraud: the view around the face and the texture of the photo decide."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import synthetic
from facematch_local.checks import Examination, Measure, Role
from facematch_local.checks.recapture import COARSEST_STEP, EVIDENT, SMALLEST_SIDE, TOO_COMPRESSED, TOO_SMALL, recapture
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
    """A texture network with a fixed logit that records what it looked at; as the true one it needs 96 pixels."""

    def __init__(self, logit: float) -> None:
        self.logit = logit
        self.asked: list[tuple[tuple[int, ...], list[float], bool]] = []

    def predict(self, pixels: Pixels, box: NDArray[np.float32], *, thorough: bool = True) -> float | None:
        self.asked.append((pixels.shape, box.tolist(), thorough))
        return self.logit if min(pixels.shape[:2]) >= 96 else None


def _measured(photo: Photo, face: Face, seen: float, texture: float) -> Measure:
    view = _Network(RecaptureScores(live=1 - seen, print=seen, screen=0.0))
    networks = Networks(recapture=view, texture=_Texture(texture))  # type: ignore[arg-type]
    return recapture(Examination(photo, Role.PORTRAIT, (face,), networks))


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


@pytest.mark.parametrize(
    ("seen", "texture", "joint"),
    [
        (0.5, 0.0, 0.7),  # neither says anything
        (0.3, -1.0, _logit(0.3) - 0.3),
        (0.01, 2.5, 1.7),  # a plain trace is enough, however live the view looks
        (0.99, -7.0, _logit(0.99) - 1.3),  # as is a plain rim, however live the texture looks
        (0.01, -7.0, -2.8),  # the least of all
        (0.55, -1.9, _logit(0.55) - 1.2),  # a rim alone that may be something else is not
    ],
)
def test_the_logits_of_view_and_texture_are_added(
    seen: float, texture: float, joint: float, astronaut: Pixels, astronaut_face: Face
) -> None:
    value = _measured(Photo(astronaut), astronaut_face, seen, texture).value
    assert value is not None
    assert _logit(value) == pytest.approx(joint, abs=1e-5)


@pytest.mark.parametrize("seen", [0.0, 1.0])
def test_a_view_without_any_doubt_has_a_probability(seen: float, astronaut: Pixels, astronaut_face: Face) -> None:
    value = _measured(Photo(astronaut), astronaut_face, seen, -1.0).value
    assert value is not None
    assert 0.0 < value < 1.0
    assert round(value) == seen


@pytest.mark.parametrize(("live", "thorough"), [(0.825, False), (0.815, True)])
def test_the_texture_network_gets_the_whole_photo_and_looks_at_all_of_a_doubtful_one(
    live: float, thorough: bool, astronaut: Pixels, astronaut_face: Face
) -> None:
    texture = _Texture(0.0)
    view = _Network(RecaptureScores(live=live, print=0.0, screen=0.0))
    networks = Networks(recapture=view, texture=texture)  # type: ignore[arg-type]
    recapture(Examination(Photo(astronaut), Role.PORTRAIT, (astronaut_face,), networks))
    assert texture.asked == [(astronaut.shape, astronaut_face.box.tolist(), thorough)]


def test_no_traces_in_a_small_or_compressed_photo_are_no_answer(astronaut: Pixels, astronaut_face: Face) -> None:
    small = Photo(np.ascontiguousarray(astronaut[: SMALLEST_SIDE - 1]))
    coarse = Photo(astronaut, 1.0, "JPEG", COARSEST_STEP + 0.1)
    for photo, reason in ((small, TOO_SMALL), (coarse, TOO_COMPRESSED)):
        assert _measured(photo, astronaut_face, 0.3, -0.2) == Measure.not_assessed(reason)
        for seen, texture in ((0.3, 1.5), (0.9, -1.0)):
            value = _measured(photo, astronaut_face, seen, texture).value
            assert value is not None
            assert value > EVIDENT
    for photo in (
        Photo(np.ascontiguousarray(astronaut[:SMALLEST_SIDE])),
        Photo(astronaut, 1.0, "JPEG", COARSEST_STEP),
        Photo(astronaut, 1.0, "PNG"),
    ):
        value = _measured(photo, astronaut_face, 0.3, -0.2).value
        assert value is not None
        assert value < EVIDENT


def test_a_photo_smaller_than_a_square_is_judged_by_its_view_alone(astronaut: Pixels, astronaut_face: Face) -> None:
    """As if its texture looked live: the view must be plain."""
    tiny = Photo(np.ascontiguousarray(astronaut[60:150, 150:290]))
    face = Face(astronaut_face.box - np.tile(np.float32([150, 60]), 2), astronaut_face.landmarks, 0.9)
    value = _measured(tiny, face, 0.9, 3.0).value
    assert value is not None
    assert _logit(value) == pytest.approx(_logit(0.9) - 1.3, abs=1e-5)
    assert _measured(tiny, face, 0.7, 3.0) == Measure.not_assessed(TOO_SMALL)


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
