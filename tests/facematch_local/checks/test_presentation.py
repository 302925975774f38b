"""Code 10 as fraud: a print and a screen show a period, a live face does not; and the shipped head."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import synthetic as made
from facematch_local.checks import Role, Subject
from facematch_local.checks.base import CLASSICAL, HEAD
from facematch_local.checks.presentation import recapture
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo
from facematch_local.imaging.spectrum import period_of, strongest_period
from facematch_local.networks import Networks
from facematch_local.networks.recapture import RecaptureScores
from facematch_local.packs import find_pack, load_pack
from facematch_local.policy import Policy, load_policy

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy()


def _subject(pixels: Pixels, face: Face) -> Subject:
    return Subject(Photo(pixels), Role.PORTRAIT, (face,))


def _value(pixels: Pixels, face: Face) -> float:
    measure = recapture(_subject(pixels, face))
    assert measure.method == CLASSICAL
    assert measure.value is not None
    return measure.value


def _warns(policy: Policy, subject: Subject) -> bool:
    measures = {"recapture": recapture(subject)}
    return any(f.outcome.name == "WARNING" for f in policy.judge(1, Role.PORTRAIT, measures) if f.name == "recapture")


def test_a_live_face_shows_no_period(astronaut: Pixels, astronaut_face: Face, policy: Policy) -> None:
    assert not _warns(policy, _subject(astronaut, astronaut_face))


def test_noise_compression_and_a_smaller_copy_are_no_recapture(
    astronaut: Pixels, astronaut_face: Face, policy: Policy
) -> None:
    grain = np.random.default_rng(1).normal(0, 8, astronaut.shape)
    noisy = np.clip(astronaut + grain, 0, 255).astype(np.uint8)
    for pixels in (noisy, made.jpeg(astronaut, 60)):
        assert not _warns(policy, _subject(pixels, astronaut_face))


def _scaled(pixels: Pixels, face: Face, side: int) -> tuple[Pixels, Face]:
    scale = np.float32(side / pixels.shape[0])
    return made.fitted_to(pixels, side), Face(face.box * scale, face.landmarks * scale, face.score)


@pytest.mark.parametrize("seed", range(4))
def test_a_made_print_scores_above_the_live_photo(astronaut: Pixels, astronaut_face: Face, seed: int) -> None:
    # No edge around it: the face stays where it is, only its pixels went through the print.
    again = made.print_recapture(astronaut, np.random.default_rng(seed), edge=False)
    assert again.shape == astronaut.shape
    assert _value(again, astronaut_face) > _value(astronaut, astronaut_face) + 0.5


@pytest.mark.slow
def test_most_made_screens_warn_when_the_face_is_close(astronaut: Pixels, astronaut_face: Face, policy: Policy) -> None:
    """A screen's grid aliases with the camera's; at some distances nothing is left of it, so not all are asked for."""
    close, face = _scaled(astronaut, astronaut_face, 900)
    assert not _warns(policy, _subject(close, face))
    warned = 0
    for seed in range(8):
        again = made.screen_recapture(close, np.random.default_rng(seed), bezel=False)
        assert again.shape == close.shape
        warned += _warns(policy, _subject(again, face))
    assert warned >= 5


def test_stripes_warn_at_any_angle_off_the_axes(astronaut: Pixels, astronaut_face: Face, policy: Policy) -> None:
    y, x = np.mgrid[0 : astronaut.shape[0], 0 : astronaut.shape[1]]
    for degrees in (20, 45, 70):
        along = x * np.cos(np.radians(degrees)) + y * np.sin(np.radians(degrees))
        wave = 8 * np.sin(2 * np.pi * along / 4.3)
        striped = np.clip(astronaut + wave[..., None], 0, 255).astype(np.uint8)
        assert _warns(policy, _subject(striped, astronaut_face)), degrees


def test_a_stronger_stripe_scores_higher(astronaut: Pixels, astronaut_face: Face) -> None:
    y, x = np.mgrid[0 : astronaut.shape[0], 0 : astronaut.shape[1]]
    wave = np.sin(2 * np.pi * (0.8 * x + 0.6 * y) / 4.3)[..., None]
    values = [
        _value(np.clip(astronaut + amplitude * wave, 0, 255).astype(np.uint8), astronaut_face)
        for amplitude in (0, 3, 8, 20)
    ]
    assert values == sorted(values)


def test_blurred_stripes_are_not_seen(astronaut: Pixels, astronaut_face: Face, policy: Policy) -> None:
    """The limit of the measure, as documented: a blurred recapture shows no period."""
    y, x = np.mgrid[0 : astronaut.shape[0], 0 : astronaut.shape[1]]
    wave = 8 * np.sin(2 * np.pi * (0.8 * x + 0.6 * y) / 4.3)[..., None]
    striped = np.clip(astronaut + wave, 0, 255).astype(np.uint8)
    soft = cv2.GaussianBlur(striped, (0, 0), 3).astype(np.uint8)
    assert _warns(policy, _subject(striped, astronaut_face))
    assert not _warns(policy, _subject(soft, astronaut_face))


@pytest.mark.parametrize("grey", [0, 127, 255])
def test_a_flat_picture_has_no_period(grey: int, astronaut_face: Face, policy: Policy) -> None:
    flat = np.full((512, 512, 3), grey, np.uint8)
    assert abs(_value(flat, astronaut_face)) < 0.1
    assert not _warns(policy, _subject(flat, astronaut_face))


def test_a_period_along_the_axes_is_left_to_the_jpeg_grid() -> None:
    y, x = np.mgrid[0:256, 0:256]
    grain = np.random.default_rng(2).normal(0, 2, (256, 256))
    level, slanted = (
        strongest_period((128 + 10 * np.sin(2 * np.pi * turn / 5) + grain).astype(np.float32))
        for turn in (y, 0.6 * x + 0.8 * y)
    )
    assert slanted > level + 1.0


def test_a_tiny_photo_and_a_photo_without_a_face_are_not_assessed(astronaut: Pixels, astronaut_face: Face) -> None:
    factor = np.float32(90 / 512)
    small = cv2.resize(astronaut, (90, 90), interpolation=cv2.INTER_AREA).astype(np.uint8)
    face = Face(astronaut_face.box * factor, astronaut_face.landmarks * factor, 0.8)
    measure = recapture(_subject(small, face))
    assert measure.value is None
    assert "few pixels" in measure.reason
    assert recapture(Subject(Photo(astronaut), Role.PORTRAIT, ())).value is None


class _Head:
    """A head that says what it is told to and keeps what it was asked; only what `Subject` calls."""

    def __init__(self, scores: RecaptureScores) -> None:
        self.scores = scores
        self.asked: list[tuple[tuple[int, ...], float | None]] = []

    def predict(self, crop: Pixels, period: float | None) -> RecaptureScores:
        self.asked.append((crop.shape, period))
        return self.scores


def test_a_head_sees_the_crop_and_the_period_and_decides(astronaut: Pixels, astronaut_face: Face) -> None:
    head = _Head(RecaptureScores(live=0.2, print=0.7, screen=0.1))
    heads = Networks(recapture=head)  # type: ignore[arg-type]
    measure = recapture(Subject(Photo(astronaut), Role.PORTRAIT, (astronaut_face,), heads))
    assert (measure.value, measure.method) == (pytest.approx(0.8), HEAD)
    assert head.asked == [((80, 80, 3), period_of(astronaut, astronaut_face.box))]


@pytest.fixture(scope="module")
def shipped() -> Networks:
    return load_pack(find_pack("compact")).heads


def _share_warned(policy: Policy, heads: Networks, photos: list[Pixels], face: Face) -> float:
    subjects = [Subject(Photo(pixels), Role.PORTRAIT, (face,), heads) for pixels in photos]
    assert all(recapture(subject).method == HEAD for subject in subjects)
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
