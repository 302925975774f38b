"""Code 3: a portrait put into the picture later leaves traces; a card that is all of one piece has none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.checks import Role, Subject
from facematch_local.checks.tampering import _QUALITIES, _coefficients, _distances, ghost, portrait_differs
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
WHOLE = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32)


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


def test_a_card_of_one_piece_shows_no_difference(untouched: Pixels) -> None:
    for qualities in ((), (100,), (80,), (75, 92), (92, 75)):
        pixels = untouched
        for quality in qualities:
            pixels = _jpeg(pixels, quality)
        found = ghost(pixels, WHOLE, FACE)
        assert found is not None
        assert found < 0.2, (qualities, found)


@pytest.mark.parametrize("level", [5, 20, 235, 250])
@pytest.mark.parametrize("qualities", [(60,), (80,), (75, 92)])
def test_a_dark_or_overexposed_portrait_is_no_other_portrait(
    untouched: Pixels, level: int, qualities: tuple[int, ...]
) -> None:
    scene = _photographed(_smooth(1), 4.0, 2)
    rows, columns = slice(TOP - 30, TOP + SIDE + 30), slice(LEFT - 30, LEFT + SIDE + 30)
    scene[rows, columns] += level - scene[rows, columns].mean()
    pixels = _u8(scene)
    for quality in qualities:
        pixels = _jpeg(pixels, quality)
    found = ghost(pixels, WHOLE, FACE)
    limit = load_policy().limits[Role.CARD]["portrait_differs"].maximum
    assert limit is not None
    assert found is None or found < limit, found


@pytest.mark.parametrize("before", [60, 75, 85])
def test_a_portrait_put_into_a_compressed_card_lacks_its_ghost(untouched: Pixels, before: int) -> None:
    other = _u8(_photographed(_smooth(3), 4.0, 4))
    # The new portrait has been a JPEG itself, on a grid of its own, as one from the web has.
    foreign = np.roll(_jpeg(other, 70), (3, 5), (0, 1))
    found = ghost(_jpeg(_pasted(_jpeg(untouched, before), foreign), 95), WHOLE, FACE)
    assert found is not None
    assert found > 0.5


def test_a_coarser_second_compression_wipes_the_ghost_out(untouched: Pixels) -> None:
    other = _u8(_photographed(_smooth(3), 4.0, 4))
    found = ghost(_jpeg(_pasted(_jpeg(untouched, 90), other), 60), WHOLE, FACE)
    assert found is not None
    assert found < 0.2


def test_the_steps_are_those_of_libjpeg(untouched: Pixels) -> None:
    # What a quality has quantised lies on its own multiples: the distance there is next to nothing.
    compressed = _jpeg(untouched, 70)
    everywhere = np.ones((HEIGHT // 8, WIDTH // 8), bool)
    distance, number = _distances(_coefficients(compressed, everywhere))
    at_70 = _QUALITIES.index(70)
    assert number[at_70] > 500
    assert distance[at_70] < 0.05
    assert distance[at_70 - 8] > 0.3


def _score(pixels: Pixels, face: Face = FACE) -> float:
    value = portrait_differs(Subject(Photo(pixels), Role.CARD, (face,))).value
    assert value is not None
    return value


def test_a_pasted_portrait_scores_above_an_untouched_card(untouched: Pixels) -> None:
    limit = load_policy().limits[Role.CARD]["portrait_differs"].maximum
    assert limit is not None
    compressed = _jpeg(untouched, 80)
    foreign = _jpeg(cv2.GaussianBlur(_u8(_photographed(_smooth(3), 1.0, 4)), (0, 0), 1.0).astype(np.uint8), 50)
    assert _score(_jpeg(compressed, 94)) < limit < _score(_jpeg(_pasted(compressed, foreign, 3, 3), 94))


def test_without_a_face_or_enough_pixels_nothing_is_claimed(untouched: Pixels) -> None:
    no_face = portrait_differs(Subject(Photo(untouched), Role.CARD, ()))
    assert no_face.value is None
    assert no_face.reason
    small = cv2.resize(untouched, (48, 30), interpolation=cv2.INTER_AREA).astype(np.uint8)
    factor = np.float32(48 / WIDTH)
    tiny = portrait_differs(Subject(Photo(small), Role.CARD, (Face(FACE.box * factor, FACE.landmarks * factor, 0.9),)))
    assert tiny.value is None
    assert "few pixels" in tiny.reason


@pytest.mark.parametrize(("grey", "expected"), [(0, None), (128, 0.0), (255, None)])
def test_a_flat_picture_shows_nothing(grey: int, expected: float | None) -> None:
    assert ghost(np.full((HEIGHT, WIDTH, 3), grey, np.uint8), WHOLE, FACE) == expected


def test_a_face_that_fills_the_photo_leaves_no_rest_to_compare_with(untouched: Pixels) -> None:
    filling = Face(np.array([0, 0, WIDTH, HEIGHT], np.float32), FACE.landmarks, 0.9)
    assert ghost(untouched, WHOLE, filling) is None
