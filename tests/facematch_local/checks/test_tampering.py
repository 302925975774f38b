"""Code 3: an inserted portrait or line of text leaves traces; an unaltered card has none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.checks import Examination, Role, tampering
from facematch_local.checks.tampering import portrait_substitution, text_alteration
from facematch_local.faces import Face
from facematch_local.imaging.double_jpeg import Evidence
from facematch_local.imaging.photo import Photo
from facematch_local.policy import load_policy

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 640, 400
# On the JPEG grid of 8 pixels, so that only a test can shift it off the grid.
LEFT, TOP, SIDE = 48, 96, 160
FACE = Face(
    np.array([LEFT, TOP, LEFT + SIDE, TOP + SIDE], np.float32),
    np.array([(92, 152), (156, 152), (124, 184), (100, 212), (148, 212)], np.float32),
    0.9,
)
CORNERS = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32)


class _Whole(Examination):
    """An examination of a photo that the document fills."""

    @property
    def document_corners(self) -> NDArray[np.float32]:  # type: ignore[override]
        return CORNERS


def _portrait(pixels: Pixels, face: Face = FACE) -> float | None:
    return portrait_substitution(_Whole(Photo(pixels), Role.CARD, (face,))).value


def _text(pixels: Pixels) -> float | None:
    return text_alteration(_Whole(Photo(pixels), Role.CARD, (FACE,))).value


def _smooth(seed: int) -> NDArray[np.float64]:
    """Uniform texture without fine detail: HEIGHT x WIDTH x 3, about 70 to 190."""
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
    """The card with a new face region in the portrait, copied from a position shifted by (dx, dy)."""
    out = card.copy()
    rows, columns = slice(TOP, TOP + SIDE), slice(LEFT, LEFT + SIDE)
    out[rows, columns] = portrait[TOP + dy : TOP + dy + SIDE, LEFT + dx : LEFT + dx + SIDE]
    return out


@pytest.fixture(scope="module")
def untouched() -> Pixels:
    return _u8(_photographed(_smooth(1), 4.0, 2))


def test_an_unaltered_card_shows_no_difference(untouched: Pixels) -> None:
    for qualities in ((), (100,), (80,), (75, 92), (92, 75)):
        pixels = untouched
        for quality in qualities:
            pixels = _jpeg(pixels, quality)
        found = _portrait(pixels)
        assert found is not None
        assert found < 0.2, (qualities, found)


@pytest.mark.parametrize("level", [5, 20, 235, 250])
@pytest.mark.parametrize("qualities", [(60,), (80,), (75, 92)])
def test_a_dark_or_overexposed_portrait_is_not_a_substitution(
    untouched: Pixels, level: int, qualities: tuple[int, ...]
) -> None:
    scene = _photographed(_smooth(1), 4.0, 2)
    rows, columns = slice(TOP - 30, TOP + SIDE + 30), slice(LEFT - 30, LEFT + SIDE + 30)
    scene[rows, columns] += level - scene[rows, columns].mean()
    pixels = _u8(scene)
    for quality in qualities:
        pixels = _jpeg(pixels, quality)
    found = _portrait(pixels)
    limit = load_policy().limits[Role.CARD]["portrait_substitution"].maximum
    assert limit is not None
    assert found is None or found < limit, found


@pytest.mark.parametrize("before", [60, 75, 85])
def test_a_portrait_inserted_into_a_compressed_card_is_detected(untouched: Pixels, before: int) -> None:
    other = _u8(_photographed(_smooth(3), 4.0, 4))
    # The new portrait was a JPEG itself, with its own grid, like one from the web.
    foreign = np.roll(_jpeg(other, 70), (3, 5), (0, 1))
    found = _portrait(_jpeg(_pasted(_jpeg(untouched, before), foreign), 95))
    assert found is not None
    assert found > 0.5


@pytest.mark.parametrize(("before", "after"), [(85, 80), (92, 78), (95, 85)])
def test_a_coarser_second_compression_does_not_hide_it(untouched: Pixels, before: int, after: int) -> None:
    other = _u8(_photographed(_smooth(3), 4.0, 4))
    card = _jpeg(untouched, before)
    swapped, kept = (_portrait(_jpeg(x, after)) for x in (_pasted(card, other), card))
    assert swapped is not None
    assert kept is not None
    limit = load_policy().limits[Role.CARD]["portrait_substitution"].maximum
    assert limit is not None
    assert swapped > limit > kept


@pytest.mark.parametrize(("before", "after"), [(80, 80), (95, 50), (None, 85)])
def test_without_an_earlier_compression_the_result_is_zero(untouched: Pixels, before: int | None, after: int) -> None:
    other = _u8(_photographed(_smooth(3), 4.0, 4))
    card = untouched if before is None else _jpeg(untouched, before)
    assert _portrait(_jpeg(_pasted(card, other), after)) == 0.0


@pytest.mark.parametrize("shift", [(0, 3), (4, 4)])
def test_a_crop_off_the_grid_hides_it(untouched: Pixels, shift: tuple[int, int]) -> None:
    other = _u8(_photographed(_smooth(3), 4.0, 4))
    swapped = _pasted(_jpeg(untouched, 80), other)
    whole, moved = _portrait(_jpeg(swapped, 92)), _portrait(_jpeg(np.roll(swapped, shift, (0, 1)), 92))
    assert whole is not None
    assert moved is not None
    assert whole > 0.5 > 0.4 > moved


def _rewritten(card: Pixels) -> Pixels:
    """The card with a line of text erased and rewritten, away from the portrait."""
    out = card.copy()
    out[100:132, 320:600] = np.median(out[100:132, 320:600].reshape(-1, 3), axis=0).astype(np.uint8)
    cv2.putText(out, "NGUYEN VAN AN", (326, 126), cv2.FONT_HERSHEY_SIMPLEX, 0.95, (60, 50, 50), 2, cv2.LINE_AA)
    return out


@pytest.mark.parametrize(("before", "after"), [(75, 92), (80, 95), (70, 95)])
def test_a_rewritten_line_is_detected(untouched: Pixels, before: int, after: int) -> None:
    limit = load_policy().limits[Role.CARD]["text_alteration"].maximum
    assert limit is not None
    card = _jpeg(untouched, before)
    edited, kept = _text(_jpeg(_rewritten(card), after)), _text(_jpeg(card, after))
    assert edited is not None
    assert kept is not None
    assert edited > limit > kept
    portrait = load_policy().limits[Role.CARD]["portrait_substitution"].maximum
    found = _portrait(_jpeg(_rewritten(card), after))
    assert portrait is not None
    assert found is not None
    assert found < portrait


@pytest.mark.parametrize("quality", [20, 30, 45, 60, 75, 90])
def test_a_card_saved_once_is_untouched(untouched: Pixels, quality: int) -> None:
    limits = load_policy().limits[Role.CARD]
    portrait, text = _portrait(_jpeg(untouched, quality)), _text(_jpeg(untouched, quality))
    assert portrait is not None
    assert text is not None
    assert limits["portrait_substitution"].holds(portrait), portrait
    assert limits["text_alteration"].holds(text), text


def test_text_is_not_assessed_without_a_face(untouched: Pixels) -> None:
    assert text_alteration(Examination(Photo(untouched), Role.CARD, ())).value is None


def _score(pixels: Pixels, face: Face = FACE) -> float:
    value = portrait_substitution(Examination(Photo(pixels), Role.CARD, (face,))).value
    assert value is not None
    return value


def test_a_pasted_portrait_scores_above_an_untouched_card(untouched: Pixels) -> None:
    limit = load_policy().limits[Role.CARD]["portrait_substitution"].maximum
    assert limit is not None
    compressed = _jpeg(untouched, 80)
    foreign = _jpeg(cv2.GaussianBlur(_u8(_photographed(_smooth(3), 1.0, 4)), (0, 0), 1.0).astype(np.uint8), 50)
    assert _score(_jpeg(compressed, 94)) < limit < _score(_jpeg(_pasted(compressed, foreign, 3, 3), 94))


def test_without_a_face_or_enough_pixels_it_is_not_assessed(untouched: Pixels) -> None:
    no_face = portrait_substitution(Examination(Photo(untouched), Role.CARD, ()))
    assert no_face.value is None
    assert no_face.reason
    small = cv2.resize(untouched, (48, 30), interpolation=cv2.INTER_AREA).astype(np.uint8)
    factor = np.float32(48 / WIDTH)
    tiny = portrait_substitution(
        Examination(Photo(small), Role.CARD, (Face(FACE.box * factor, FACE.landmarks * factor, 0.9),))
    )
    assert tiny.value is None
    assert "few pixels" in tiny.reason


@pytest.mark.parametrize(("grey", "expected"), [(0, None), (128, 0.0), (255, None)])
def test_a_flat_picture_shows_no_alteration(grey: int, expected: float | None) -> None:
    assert _portrait(np.full((HEIGHT, WIDTH, 3), grey, np.uint8)) == expected


def test_a_face_that_fills_the_photo_is_not_assessed(untouched: Pixels) -> None:
    filling = Face(np.array([0, 0, WIDTH, HEIGHT], np.float32), FACE.landmarks, 0.9)
    assert _portrait(untouched, filling) is None


def test_a_white_card_with_detail_only_at_its_border_is_not_assessed(untouched: Pixels) -> None:
    white = np.full_like(untouched, 255)
    rows, columns = slice(TOP, TOP + SIDE), slice(LEFT, LEFT + SIDE)
    white[rows, columns], white[-8:] = untouched[rows, columns], untouched[-8:]
    for check in (portrait_substitution, text_alteration):
        measure = check(_Whole(Photo(_jpeg(white, 95)), Role.CARD, (FACE,)))
        assert measure.value is None
        assert measure.reason == "too few pixels of portrait or card can be compared"


class _Recompressed(Examination):
    """A photo whose document shows an earlier compression."""

    @property
    def recompression(self) -> Any:  # type: ignore[override]
        return SimpleNamespace(earlier=np.ones(4))


@pytest.mark.parametrize(("nats", "expected"), [(10.0, 0.5), (30.0, 0.75)])
def test_ten_nats_for_another_portrait_count_half(
    monkeypatch: pytest.MonkeyPatch, untouched: Pixels, nats: float, expected: float
) -> None:
    evidence = Evidence(np.zeros(()), np.full((), nats), np.zeros(()))
    monkeypatch.setattr(tampering, "evidence_of_portrait", lambda seen, earlier: evidence)
    measure = portrait_substitution(_Recompressed(Photo(untouched), Role.CARD, (FACE,)))
    assert measure.value == pytest.approx(expected)


def _line(monkeypatch: pytest.MonkeyPatch, nats: NDArray[np.float64]) -> float | None:
    """What `text_alteration` says of blocks with so many nats between one compression and two, found once."""
    evidence = Evidence(np.zeros_like(nats), nats, np.zeros_like(nats))
    monkeypatch.setattr(tampering, "evidence_of_blocks", lambda seen, earlier: evidence)
    return text_alteration(_Recompressed(Photo(np.zeros((8, 8, 3), np.uint8)), Role.CARD, (FACE,))).value


def test_forty_nats_for_another_line_count_half(monkeypatch: pytest.MonkeyPatch) -> None:
    nats = np.zeros((20, 40))
    nats[10, 20] = 40.0
    assert _line(monkeypatch, nats) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("rows", "columns", "counted"), [(2, 8, 16), (2, 14, 28), (3, 10, 30), (2, 40, 28), (3, 40, 30), (40, 8, 24)]
)
def test_the_blocks_of_a_line_count_together(
    monkeypatch: pytest.MonkeyPatch, rows: int, columns: int, counted: int
) -> None:
    nats = np.zeros((60, 60))
    nats[10 : 10 + rows, 10 : 10 + columns] = 1.0
    assert _line(monkeypatch, nats) == pytest.approx(counted / (counted + 40))


def test_a_reduced_photo_is_not_assessed_since_the_change_of_size_removed_the_traces() -> None:
    pixels = _u8(_photographed(_smooth(1), 4, 2))
    for check in (portrait_substitution, text_alteration):
        reduced = check(_Whole(Photo(pixels, scale=0.64), Role.CARD, (FACE,)))
        assert (reduced.value, reduced.reason) == (None, tampering.REDUCED)
        assert check(_Whole(Photo(pixels), Role.CARD, (FACE,))).value is not None
