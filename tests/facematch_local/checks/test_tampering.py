"""Code 3: a portrait put into the picture later leaves traces; a card that is all of one piece has none."""

from __future__ import annotations

from dataclasses import astuple

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.checks import Role, Subject
from facematch_local.checks.document import Document
from facematch_local.checks.tampering import features, portrait_differs, traces
from facematch_local.faces import Face
from facematch_local.images import Photo
from facematch_local.policy import load_policy

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 640, 400
# On the JPEG grid of 8 pixels, so that a shift from it is one that a test made.
LEFT, TOP, SIDE = 48, 96, 160
FACE = Face(
    np.array([LEFT, TOP, LEFT + SIDE, TOP + SIDE], np.float32),
    np.array([(92, 152), (156, 152), (124, 184), (100, 212), (148, 212)], np.float32),
    0.9,
)
WHOLE = Document(np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32), 0.0, 0, 4.0, 1.0)


def _smooth(seed: int) -> NDArray[np.float64]:
    """Texture without fine detail, alike all over: HEIGHT x WIDTH x 3, about 70 to 190."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 1, (HEIGHT, WIDTH, 3))
    soft = cv2.GaussianBlur(coarse, (0, 0), 3)
    return np.asarray(130 + 20 * soft / soft.std(), np.float64)


def _photographed(scene: NDArray[np.float64], noise: float, seed: int) -> NDArray[np.float64]:
    return scene + np.random.default_rng(seed).normal(0, noise, scene.shape)


def _u8(values: NDArray[np.float64]) -> Pixels:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _jpeg(pixels: Pixels, quality: int) -> Pixels:
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _pasted(card: Pixels, portrait: Pixels, dx: int = 0, dy: int = 0) -> Pixels:
    """The card with the portrait's face region, taken from (dx, dy) off its place."""
    out = card.copy()
    rows, columns = slice(TOP, TOP + SIDE), slice(LEFT, LEFT + SIDE)
    out[rows, columns] = portrait[TOP + dy : TOP + dy + SIDE, LEFT + dx : LEFT + dx + SIDE]
    return out


@pytest.fixture(scope="module")
def untouched() -> Pixels:
    return _u8(_photographed(_smooth(1), 4.0, 2))


def test_a_card_of_one_piece_has_no_traces(untouched: Pixels) -> None:
    for quality in (100, 80):
        found = traces(_jpeg(untouched, quality), WHOLE, FACE)
        assert found is not None
        assert np.abs(astuple(found)).max() < 0.25, found


def test_a_portrait_from_a_calmer_camera_is_told_by_its_noise(untouched: Pixels) -> None:
    calm = traces(_pasted(untouched, _u8(_photographed(_smooth(3), 0.5, 4))), WHOLE, FACE)
    noisy = traces(_pasted(untouched, _u8(_photographed(_smooth(3), 12.0, 4))), WHOLE, FACE)
    assert calm is not None
    assert noisy is not None
    # The logarithm of the ratio of the deviations, as far as the texture underneath and rounding leave it.
    assert calm.noise < -0.7
    assert calm.colour_noise < -0.5
    assert noisy.noise > 0.7
    assert noisy.colour_noise > 0.7


def test_an_enlarged_portrait_is_told_by_its_missing_detail(untouched: Pixels) -> None:
    small = cv2.resize(untouched, None, fx=0.33, fy=0.33, interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    found = traces(_pasted(untouched, large), WHOLE, FACE)
    assert found is not None
    assert found.detail < -0.3


def test_a_jpeg_grid_of_its_own_is_told_from_the_cards(untouched: Pixels) -> None:
    compressed = _jpeg(untouched, 40)
    other = _jpeg(_u8(_photographed(_smooth(3), 4.0, 4)), 40)
    on_grid, off_grid = (traces(_pasted(compressed, other, d, d), WHOLE, FACE) for d in (0, 3))
    assert on_grid is not None
    assert off_grid is not None
    assert off_grid.grid > on_grid.grid + 0.3
    assert abs(on_grid.grid) < 0.1


def test_a_portrait_compressed_before_is_told_from_a_card_that_was_not(untouched: Pixels) -> None:
    found = traces(_pasted(untouched, _jpeg(_u8(_photographed(_smooth(3), 4.0, 4)), 60)), WHOLE, FACE)
    assert found is not None
    # What was quantised once changes less by being quantised again.
    assert found.quantisation < -0.3


def _score(pixels: Pixels, face: Face = FACE) -> float:
    value = portrait_differs(Subject(Photo(pixels), Role.CARD, (face,))).value
    assert value is not None
    return value


def test_a_pasted_portrait_scores_above_an_untouched_card(untouched: Pixels) -> None:
    limit = load_policy().limits[Role.CARD]["portrait_differs"].maximum
    assert limit is not None
    compressed = _jpeg(untouched, 85)
    foreign = _jpeg(cv2.GaussianBlur(_u8(_photographed(_smooth(3), 1.0, 4)), (0, 0), 1.0).astype(np.uint8), 50)
    assert _score(compressed) < limit < _score(_pasted(compressed, foreign, 3, 3))


def test_both_directions_of_a_trace_have_a_feature_of_their_own(untouched: Pixels) -> None:
    found = traces(_pasted(untouched, _u8(_photographed(_smooth(3), 0.5, 4))), WHOLE, FACE)
    assert found is not None
    values = features(found)
    assert values.shape == (10,)
    assert (values >= 0).all()
    np.testing.assert_allclose(values[:5] - values[5:], astuple(found))


def test_without_a_face_or_enough_pixels_nothing_is_claimed(untouched: Pixels) -> None:
    no_face = portrait_differs(Subject(Photo(untouched), Role.CARD, ()))
    assert no_face.value is None
    assert no_face.reason
    small = cv2.resize(untouched, (48, 30), interpolation=cv2.INTER_AREA).astype(np.uint8)
    factor = np.float32(48 / WIDTH)
    tiny = portrait_differs(Subject(Photo(small), Role.CARD, (Face(FACE.box * factor, FACE.landmarks * factor, 0.9),)))
    assert tiny.value is None
    assert "few pixels" in tiny.reason


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_flat_picture_gives_a_finite_number_and_no_warning(grey: int) -> None:
    flat = np.full((HEIGHT, WIDTH, 3), grey, np.uint8)
    found = traces(flat, WHOLE, FACE)
    assert found is not None
    np.testing.assert_allclose(astuple(found), 0, atol=1e-6)


def test_a_face_that_fills_the_photo_leaves_no_rest_to_compare_with(untouched: Pixels) -> None:
    filling = Face(np.array([0, 0, WIDTH, HEIGHT], np.float32), FACE.landmarks, 0.9)
    assert traces(untouched, WHOLE, filling) is None
