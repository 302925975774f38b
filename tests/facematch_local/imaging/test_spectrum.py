"""Periods at the face: a print and a screen show one, a live face does not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import synthetic
from facematch_local.faces import Face
from facematch_local.imaging.spectrum import period_of, strongest_period

Pixels = NDArray[np.uint8]


# Natural logarithm of an amplitude over its surroundings that few live faces reach.
_STRIKING = 2.6


def _value(pixels: Pixels, face: Face) -> float:
    value = period_of(pixels, face.box)
    assert value is not None
    return value


def _strikes(pixels: Pixels, face: Face) -> bool:
    return _value(pixels, face) > _STRIKING


def test_a_live_face_shows_no_period(astronaut: Pixels, astronaut_face: Face) -> None:
    assert not _strikes(astronaut, astronaut_face)


def test_noise_compression_and_a_smaller_copy_show_no_period(astronaut: Pixels, astronaut_face: Face) -> None:
    grain = np.random.default_rng(1).normal(0, 8, astronaut.shape)
    noisy = np.clip(astronaut + grain, 0, 255).astype(np.uint8)
    for pixels in (noisy, synthetic.jpeg(astronaut, 60)):
        assert not _strikes(pixels, astronaut_face)


def _scaled(pixels: Pixels, face: Face, side: int) -> tuple[Pixels, Face]:
    scale = np.float32(side / pixels.shape[0])
    return synthetic.fitted_to(pixels, side), Face(face.box * scale, face.landmarks * scale, face.score)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_synthetic_print_scores_above_the_live_photo(astronaut: Pixels, astronaut_face: Face, seed: int) -> None:
    # Without an edge around it: the face keeps its position, only its pixels went through the print.
    again = synthetic.print_recapture(astronaut, np.random.default_rng(seed), edge=False)
    assert again.shape == astronaut.shape
    assert _value(again, astronaut_face) > _value(astronaut, astronaut_face) + 0.5


@pytest.mark.slow
def test_most_synthetic_screens_show_a_period_when_the_face_is_close(astronaut: Pixels, astronaut_face: Face) -> None:
    """The grids of screen and camera alias; at some distances the pattern vanishes, so not all seeds must show it."""
    close, face = _scaled(astronaut, astronaut_face, 900)
    assert not _strikes(close, face)
    warned = 0
    for seed in range(8):
        again = synthetic.screen_recapture(close, np.random.default_rng(seed), bezel=False)
        assert again.shape == close.shape
        warned += _strikes(again, face)
    assert warned >= 5


def test_stripes_are_seen_at_any_angle_off_the_axes(astronaut: Pixels, astronaut_face: Face) -> None:
    y, x = np.mgrid[0 : astronaut.shape[0], 0 : astronaut.shape[1]]
    for degrees in (20, 45, 70):
        along = x * np.cos(np.radians(degrees)) + y * np.sin(np.radians(degrees))
        wave = 8 * np.sin(2 * np.pi * along / 4.3)
        striped = np.clip(astronaut + wave[..., None], 0, 255).astype(np.uint8)
        assert _strikes(striped, astronaut_face), degrees


def test_a_stronger_stripe_scores_higher(astronaut: Pixels, astronaut_face: Face) -> None:
    y, x = np.mgrid[0 : astronaut.shape[0], 0 : astronaut.shape[1]]
    wave = np.sin(2 * np.pi * (0.8 * x + 0.6 * y) / 4.3)[..., None]
    values = [
        _value(np.clip(astronaut + amplitude * wave, 0, 255).astype(np.uint8), astronaut_face)
        for amplitude in (0, 3, 8, 20)
    ]
    assert values == sorted(values)


def test_blurred_stripes_are_not_seen(astronaut: Pixels, astronaut_face: Face) -> None:
    """The documented limit of the measure: a blurred recapture shows no period."""
    y, x = np.mgrid[0 : astronaut.shape[0], 0 : astronaut.shape[1]]
    wave = 8 * np.sin(2 * np.pi * (0.8 * x + 0.6 * y) / 4.3)[..., None]
    striped = np.clip(astronaut + wave, 0, 255).astype(np.uint8)
    soft = cv2.GaussianBlur(striped, (0, 0), 3).astype(np.uint8)
    assert _strikes(striped, astronaut_face)
    assert not _strikes(soft, astronaut_face)


@pytest.mark.parametrize("grey", [0, 127, 255])
def test_a_flat_picture_has_no_period(grey: int, astronaut_face: Face) -> None:
    flat = np.full((512, 512, 3), grey, np.uint8)
    assert abs(_value(flat, astronaut_face)) < 0.1
    assert not _strikes(flat, astronaut_face)


def test_a_period_along_the_axes_does_not_count() -> None:
    y, x = np.mgrid[0:256, 0:256]
    grain = np.random.default_rng(2).normal(0, 2, (256, 256))
    level, slanted = (
        strongest_period((128 + 10 * np.sin(2 * np.pi * turn / 5) + grain).astype(np.float32))
        for turn in (y, 0.6 * x + 0.8 * y)
    )
    assert slanted > level + 1.0


def test_a_tiny_photo_has_too_few_pixels_for_a_period(astronaut: Pixels, astronaut_face: Face) -> None:
    factor = np.float32(90 / 512)
    small = cv2.resize(astronaut, (90, 90), interpolation=cv2.INTER_AREA).astype(np.uint8)
    assert period_of(small, astronaut_face.box * factor) is None


@pytest.mark.parametrize("side", [96, 101, 256])
def test_the_height_is_that_of_the_whole_spectrum(side: int) -> None:
    """The definition with NumPy's transform."""
    grey = np.random.default_rng(5).uniform(0, 255, (side, side)).astype(np.float32)
    waves = np.fft.fftshift(np.fft.fft2((grey - grey.mean()) * np.outer(np.hanning(side), np.hanning(side))))
    logarithm = np.log(np.abs(waves) + 1)
    excess = cv2.blur(logarithm, (2, 2)) - cv2.blur(logarithm, (17, 17))
    frequency = np.abs(np.fft.fftshift(np.fft.fftfreq(side)))
    off_axes = (frequency[:, None] > 3 / side) & (frequency > 3 / side)
    asked = off_axes & (np.hypot(frequency[:, None], frequency) > 0.1)
    assert strongest_period(grey) == pytest.approx(excess[asked].max(), abs=1e-3)
