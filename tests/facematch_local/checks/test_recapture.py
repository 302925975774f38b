"""Code 10 as fraud: the recapture network decides, by the crop and the period."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import synthetic as made
from facematch_local.checks import Examination, Role
from facematch_local.checks.recapture import recapture
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
    """A network with fixed scores that keeps its inputs."""

    def __init__(self, scores: RecaptureScores) -> None:
        self.scores = scores
        self.asked: list[tuple[tuple[int, ...], float | None]] = []

    def predict(self, crop: Pixels, period: float | None) -> RecaptureScores:
        self.asked.append((crop.shape, period))
        return self.scores


def test_a_head_sees_the_crop_and_the_period_and_decides(astronaut: Pixels, astronaut_face: Face) -> None:
    head = _Network(RecaptureScores(live=0.2, print=0.7, screen=0.1))
    heads = Networks(recapture=head)  # type: ignore[arg-type]
    measure = recapture(Examination(Photo(astronaut), Role.PORTRAIT, (astronaut_face,), heads))
    assert measure.value == pytest.approx(0.8)
    assert head.asked == [((80, 80, 3), period_of(astronaut, astronaut_face.box))]


@pytest.fixture(scope="module")
def shipped() -> Networks:
    return load_pack(find_pack("compact")).networks


def _share_warned(policy: Policy, heads: Networks, photos: list[Pixels], face: Face) -> float:
    subjects = [Examination(Photo(pixels), Role.PORTRAIT, (face,), heads) for pixels in photos]
    assert all(recapture(subject).value is not None for subject in subjects)
    return sum(_warns(policy, subject) for subject in subjects) / len(subjects)


def test_the_shipped_head_lets_live_photos_pass_however_they_were_edited(
    astronaut: Pixels, astronaut_face: Face, policy: Policy, shipped: Networks
) -> None:
    grain = np.random.default_rng(1).normal(0, 6, astronaut.shape)
    sharp = astronaut + 1.0 * (astronaut.astype(np.float32) - cv2.GaussianBlur(astronaut, (0, 0), 1.5))
    photos = [
        astronaut,
        np.clip(astronaut + grain, 0, 255).astype(np.uint8),
        np.clip(sharp, 0, 255).astype(np.uint8),
        made.jpeg(astronaut, 50),
        made.gaussian_blur(astronaut, 2.0),
        cv2.bilateralFilter(astronaut, 9, 50, 5).astype(np.uint8),
    ]
    assert _share_warned(policy, shipped, photos, astronaut_face) == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["print", "screen"])
def test_the_shipped_head_finds_made_recaptures(
    kind: str, astronaut: Pixels, astronaut_face: Face, policy: Policy, shipped: Networks
) -> None:
    again = made.print_recapture if kind == "print" else made.screen_recapture
    portrait, scale, start = astronaut[:260, 95:355], np.float32(700 / 260), np.float32([95, 0])
    box = (astronaut_face.box - np.tile(start, 2)) * scale
    face = Face(box, (astronaut_face.landmarks - start) * scale, astronaut_face.score)
    large = made.fitted_to(portrait, 700)
    assert _share_warned(policy, shipped, [large], face) == 0
    photos = [again(large, np.random.default_rng(seed)) for seed in range(10)]
    assert _share_warned(policy, shipped, photos, face) >= 0.9


@pytest.mark.slow
def test_the_shipped_head_needs_neither_rim_nor_pixels(
    astronaut: Pixels, astronaut_face: Face, policy: Policy, shipped: Networks
) -> None:
    """The face is small, so the rim is out of the crop, and no period is left for the classical measure."""
    photos = [made.screen_recapture(astronaut, np.random.default_rng(seed)) for seed in range(6)]
    periods = [period_of(pixels, astronaut_face.box) or 0.0 for pixels in photos]
    assert np.median(periods) < 2.1
    assert _share_warned(policy, shipped, photos, astronaut_face) > 0.6
