"""Codes 1 and 2: documents are distinguished from selfies and located, and grey copies distinguished from cards."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import synthetic
from facematch_local.checks import Examination, Role, document, photocopy
from facematch_local.checks.logits import expit, logit
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo
from facematch_local.networks import Networks
from facematch_local.networks.document import DocumentScores, Window
from facematch_local.packs import find_pack, load_pack
from facematch_local.policy import load_policy

Pixels = NDArray[np.uint8]


# Evidence of print and edges that nearly every whole document shows.
_EVIDENT = 0.75


def _limit(name: str) -> float:
    minimum = load_policy().limits[Role.CARD][name].minimum
    assert minimum is not None
    return minimum


def _most(name: str) -> float:
    maximum = load_policy().limits[Role.CARD][name].maximum
    assert maximum is not None
    return maximum


@pytest.fixture(scope="module")
def drawn(astronaut: Pixels) -> synthetic.Card:
    return synthetic.draw_card(np.ascontiguousarray(astronaut[10:290, 110:340]), np.random.default_rng(5), 900)


def _face_on(drawn: synthetic.Card, astronaut_face: Face) -> Face:
    """The astronaut's face at its position on the card (the crop of `drawn`, fitted into the portrait box)."""
    left, top, right, bottom = drawn.portrait
    box_width, box_height = right - left, bottom - top
    side = min(230 / box_width, 280 / box_height)
    width, height = min(round(side * box_width), 230), min(round(side * box_height), 280)
    shift = np.float32([110 + (230 - width) // 2, 10 + (280 - height) // 2])
    scale, corner = np.float32(box_width / width), np.float32([left, top])
    points = (astronaut_face.landmarks - shift) * scale + corner
    box = (astronaut_face.box.reshape(2, 2) - shift) * scale + corner
    return Face(box.reshape(4).astype(np.float32), points.astype(np.float32), 0.8)


def _moved(face: Face, matrix: NDArray[np.float64]) -> Face:
    def move(points: NDArray[np.float32]) -> NDArray[np.float32]:
        return cv2.perspectiveTransform(points.reshape(-1, 1, 2), matrix).reshape(-1, 2).astype(np.float32)

    corners = move(face.box.reshape(2, 2))
    return Face(np.concatenate([corners.min(axis=0), corners.max(axis=0)]), move(face.landmarks), face.score)


def _on_table(drawn: synthetic.Card, pixels: Pixels, face: Face, seed: int) -> tuple[Pixels, Face, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:900, 0:1200]
    table = np.stack([60 + 8 * np.sin(x / 9), 90 + 8 * np.sin(x / 9 + y / 200), 120 + 8 * np.sin(x / 7)], axis=2)
    photo, corners = synthetic.on_background(pixels, table.astype(np.uint8), rng, share=0.6)
    height, width = pixels.shape[:2]
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    return photo, _moved(face, cv2.getPerspectiveTransform(source, corners)), corners


def _examination(pixels: Pixels, face: Face | None) -> Examination:
    return Examination(Photo(pixels), Role.CARD, (face,) if face else ())


def _value(measure: object) -> float:
    value = getattr(measure, "value", None)
    assert isinstance(value, float)
    return value


class _Network:
    """A document network with a document in the left half: probability `document`, for a tighter crop `near`."""

    def __init__(self, document: float, seen: float = 1.0, near: float | None = None) -> None:
        self.document, self.near = document, document if near is None else near
        self.looks: list[Window] = []
        self.places = np.zeros((24, 24), np.float32)
        self.places[2:-2, 2:12] = seen

    def predict(self, pixels: Pixels, face: Face | None) -> DocumentScores:
        return DocumentScores(self.document, self.places, (0, 0, pixels.shape[1], pixels.shape[0]))

    def look(self, pixels: Pixels, window: Window) -> DocumentScores:
        self.looks.append(window)
        return DocumentScores(self.near, self.places, window)


def test_the_document_network_decides(astronaut: Pixels, astronaut_face: Face) -> None:
    networks = Networks(document=_Network(0.96))  # type: ignore[arg-type]
    examination = Examination(Photo(astronaut), Role.CARD, (astronaut_face,), networks)
    assert document.document(examination).value == 0.96
    assert np.ptp(examination.document_corners[:, 0]) < 0.5 * astronaut.shape[1]
    blind = Examination(Photo(astronaut), Role.CARD, (astronaut_face,), Networks(document=_Network(0.9, 0.0)))  # type: ignore[arg-type]
    assert np.array_equal(blind.document_corners, blind.document.corners)
    without = Examination(Photo(astronaut), Role.CARD, (astronaut_face,))
    assert document.document(without).value is None
    assert "lacks the network" in document.document(without).reason
    assert np.array_equal(without.document_corners, without.document.corners)


@pytest.fixture(scope="module")
def shipped() -> Networks:
    return load_pack(find_pack("compact")).networks


def one_and(more: list[int], one: int) -> list[object]:
    """One seed by default, and more in the slow tests."""
    return [one, *(pytest.param(seed, marks=pytest.mark.slow) for seed in more)]


def few_or_many(few: int, many: int) -> pytest.MarkDecorator:
    """A number of drawn photos: few by default, many in the slow tests."""
    return pytest.mark.parametrize("count", [few, pytest.param(many, marks=pytest.mark.slow)])


@few_or_many(1, 8)
def test_the_shipped_network_detects_and_locates_cards(
    drawn: synthetic.Card, astronaut: Pixels, astronaut_face: Face, shipped: Networks, count: int
) -> None:
    least = _limit("document")
    face = _face_on(drawn, astronaut_face)
    found = []
    for seed in range(count):
        photo, moved, corners = _on_table(drawn, drawn.pixels, face, seed)
        examination = Examination(Photo(photo), Role.CARD, (moved,), shipped)
        found.append(_value(document.document(examination)) >= least)
        width = np.linalg.norm(corners[1] - corners[0])
        assert np.median(np.linalg.norm(examination.document_corners - corners, axis=1)) < 0.15 * width
    assert sum(found) >= min(count, 7)
    assert _value(document.document(Examination(Photo(drawn.pixels), Role.CARD, (face,), shipped))) >= least
    for faces in ((astronaut_face,), ()):
        assert _value(document.document(Examination(Photo(astronaut), Role.CARD, faces, shipped))) < least


@few_or_many(1, 8)
def test_the_shipped_network_detects_tilted_cards_without_a_portrait(shipped: Networks, count: int) -> None:
    scores = []
    for seed in range(count):
        bare = synthetic.draw_card(None, np.random.default_rng(seed), 640).pixels
        table = np.full((800, 1000, 3), (90, 110, 130), np.uint8)
        table[150 : 150 + len(bare), 180:820] = bare
        matrix = cv2.getRotationMatrix2D((500, 400), 10, 1.0)
        tilted = cv2.warpAffine(table, matrix, (1000, 800), borderMode=cv2.BORDER_REPLICATE)
        scores.append(_value(document.document(Examination(Photo(tilted.astype(np.uint8)), Role.CARD, (), shipped))))
    assert sum(value >= _limit("document") for value in scores) >= min(count, 7)


@pytest.mark.parametrize(("score", "larger"), [(0.1, False), (0.3, True), (0.6, True), (0.95, False)])
def test_print_counts_if_the_network_is_uncertain(
    drawn: synthetic.Card, astronaut_face: Face, score: float, larger: bool
) -> None:
    networks = Networks(document=_Network(score))  # type: ignore[arg-type]
    examination = Examination(Photo(drawn.pixels), Role.CARD, (_face_on(drawn, astronaut_face),), networks)
    assert examination.document.evidence > 1
    value = _value(document.document(examination))
    assert (value > score) is larger
    printed = 3.0 * min(examination.document.evidence, 1.5)
    assert value == pytest.approx(expit((2 * logit(score) + printed) / 2) if larger else score)
    grey = Examination(Photo(np.full((200, 300, 3), 90, np.uint8)), Role.CARD, (), networks)
    assert _value(document.document(grey)) == pytest.approx(score)


def test_an_uncertain_network_scores_a_tighter_crop() -> None:
    grey = np.full((240, 480, 3), 90, np.uint8)
    for score, near, both in ((0.5, 0.9, 0.75), (0.5, 0.1, 0.25), (0.05, 0.9, 0.05), (0.97, 0.1, 0.97)):
        network = _Network(score, near=near)
        examination = Examination(Photo(grey), Role.CARD, (), Networks(document=network))  # type: ignore[arg-type]
        assert _value(document.document(examination)) == pytest.approx(both)
        assert network.looks == ([(10, 0, 270, 240)] if score == 0.5 else [])


def test_a_flat_scan_is_a_document(drawn: synthetic.Card, astronaut_face: Face) -> None:
    examination = _examination(drawn.pixels, _face_on(drawn, astronaut_face))
    assert examination.document.evidence > _EVIDENT


@pytest.mark.parametrize("seed", one_and([2, 3], 1))
def test_a_card_on_a_table_is_located(drawn: synthetic.Card, astronaut_face: Face, seed: int) -> None:
    photo, face, corners = _on_table(drawn, drawn.pixels, _face_on(drawn, astronaut_face), seed)
    examination = _examination(photo, face)
    assert examination.document.evidence > _EVIDENT
    width = np.linalg.norm(corners[1] - corners[0])
    assert np.abs(examination.document.corners - corners).max() < 0.04 * width


def test_a_rotated_card_is_found(drawn: synthetic.Card, astronaut_face: Face) -> None:
    face = _face_on(drawn, astronaut_face)
    side = np.ascontiguousarray(np.rot90(drawn.pixels))
    turn = np.array([[0, 1, 0], [-1, 0, drawn.pixels.shape[1]], [0, 0, 1]], np.float64)
    assert _examination(side, _moved(face, turn)).document.evidence > _EVIDENT


def test_a_selfie_is_not_a_document(astronaut: Pixels, astronaut_face: Face) -> None:
    assert _examination(astronaut, astronaut_face).document.evidence < _EVIDENT
    assert _examination(astronaut, None).document.evidence < _EVIDENT


def test_a_page_without_a_face_is_a_document_in_either_direction(drawn: synthetic.Card) -> None:
    page = np.full((700, 1000, 3), 235, np.uint8)
    for row in range(12):
        cv2.putText(page, "SOME LINE OF PRINTED TEXT 0123456789", (60, 80 + 48 * row), 0, 1.0, (30, 30, 30), 2)
    level = _examination(page, None).document.evidence
    turned = _examination(np.ascontiguousarray(np.rot90(page)), None).document.evidence
    assert min(level, turned) > _EVIDENT


@pytest.mark.slow
def test_the_shipped_network_distinguishes_copies_from_cards(
    drawn: synthetic.Card, astronaut: Pixels, astronaut_face: Face, shipped: Networks
) -> None:
    engraved = synthetic.draw_card(
        np.ascontiguousarray(astronaut[10:290, 110:340]), np.random.default_rng(2), 900, engraved=True
    )
    limit, wrong = _most("photocopy"), []
    kinds = {"colour": drawn, "grey portrait": engraved}
    for seed in range(3):
        rng = np.random.default_rng(seed)
        light = {"dim": float(rng.uniform(0.4, 1.1)), "cast": tuple(rng.uniform(0.6, 1.15, 3).tolist())}
        for name, flat in kinds.items():
            face = _face_on(flat, astronaut_face)
            for copied in (False, True):
                pixels = synthetic.photocopy(flat.pixels, rng) if copied else flat.pixels
                photo, moved, _ = _on_table(flat, pixels, face, seed)
                lit = synthetic.lit(photo, rng, **light)  # type: ignore[arg-type]
                measure = photocopy.photocopy(Examination(Photo(lit), Role.CARD, (moved,), shipped))
                if (_value(measure) > limit) is not copied:
                    wrong.append((name, copied, seed))
    assert len(wrong) <= 1, wrong


def test_a_photo_without_usable_colour_is_not_assessed(
    drawn: synthetic.Card, astronaut_face: Face, shipped: Networks
) -> None:
    without = photocopy.photocopy(_examination(drawn.pixels, _face_on(drawn, astronaut_face)))
    assert without.value is None
    assert "lacks the network" in without.reason
    assert photocopy.photocopy(Examination(Photo(drawn.pixels), Role.CARD, (), shipped)).value is None
    black = np.zeros_like(drawn.pixels)
    flat = _face_on(drawn, astronaut_face)
    black_on_table, face, _ = _on_table(drawn, black, flat, 1)
    white_on_table = _on_table(drawn, np.full_like(black, 255), flat, 1)[0]
    for pixels, shown in ((black, flat), (black_on_table, face), (white_on_table, face)):
        measure = photocopy.photocopy(Examination(Photo(pixels), Role.CARD, (shown,), shipped))
        assert measure.value is None
        assert "dark" in measure.reason


@pytest.mark.parametrize("degrees", [-25, 5, 15])
def test_a_selfie_with_a_tilted_head_is_not_a_document(astronaut: Pixels, astronaut_face: Face, degrees: float) -> None:
    middle = (float(astronaut_face.eye_midpoint[0]), float(astronaut_face.eye_midpoint[1]))
    matrix = cv2.getRotationMatrix2D(middle, degrees, 1.0)
    turned = cv2.warpAffine(astronaut, matrix, astronaut.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    face = _moved(astronaut_face, np.vstack([matrix, (0, 0, 1)]))
    assert _examination(turned.astype(np.uint8), face).document.evidence < _EVIDENT


@pytest.mark.parametrize("degrees", [-14, 9, 20])
@pytest.mark.parametrize("quarters", [0, 1])
def test_a_head_may_tilt_on_a_level_card(
    drawn: synthetic.Card, astronaut_face: Face, degrees: float, quarters: int
) -> None:
    face = _face_on(drawn, astronaut_face)
    left, top, right, bottom = drawn.portrait
    middle = (float(left + right) / 2, float(top + bottom) / 2)
    matrix = cv2.getRotationMatrix2D(middle, degrees, 1.25)
    photo = drawn.pixels.copy()
    photo[top:bottom, left:right] = cv2.warpAffine(photo, matrix, photo.shape[1::-1])[top:bottom, left:right]
    tilted = _moved(face, np.vstack([matrix, (0, 0, 1)]))
    if quarters:  # the photo is rotated: (x, y) maps to (y, width - x)
        side = np.array([(0, 1, 0), (-1, 0, photo.shape[1]), (0, 0, 1)], np.float64)
        photo, tilted = np.ascontiguousarray(np.rot90(photo)), _moved(tilted, side)
    assert _examination(photo, tilted).document.evidence > _EVIDENT


@pytest.mark.parametrize("width", [560, 1400])
@pytest.mark.parametrize("seed", one_and([1, 2], 0))
def test_a_scan_without_a_face_is_found_at_any_size(width: int, seed: int) -> None:
    bare = synthetic.draw_card(None, np.random.default_rng(seed), 1000).pixels
    size = (width, round(width * bare.shape[0] / bare.shape[1]))
    small = cv2.resize(bare, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    assert _examination(small, None).document.evidence >= _EVIDENT


@few_or_many(1, 8)
def test_a_tilted_page_without_a_face_is_often_found(count: int) -> None:
    found = 0
    for seed in range(count):
        bare = synthetic.draw_card(None, np.random.default_rng(seed), 640, passport=True).pixels
        table = np.full((800, 1000, 3), (90, 110, 130), np.uint8)
        table[150 : 150 + len(bare), 180:820] = bare
        matrix = cv2.getRotationMatrix2D((500, 400), 10, 1.0)
        tilted = cv2.warpAffine(table, matrix, (1000, 800), borderMode=cv2.BORDER_REPLICATE)
        found += _examination(tilted.astype(np.uint8), None).document.evidence >= _EVIDENT
    assert found >= min(count, 3)  # docs/warnings.md has the rate for cards; without the search for tilts it was zero


@pytest.mark.parametrize("seed", one_and([1, 2, 3], 0))
def test_gravel_is_not_a_document(seed: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 200, (120, 160, 3), dtype=np.uint8)
    gravel = cv2.resize(coarse, (1280, 960), interpolation=cv2.INTER_CUBIC)
    noisy = np.clip(gravel + rng.normal(0, 12, gravel.shape), 0, 255).astype(np.uint8)
    assert _examination(noisy, None).document.evidence < _EVIDENT


@pytest.mark.parametrize("seed", one_and([1, 2, 3], 0))
def test_a_card_without_a_portrait_is_a_document(seed: int) -> None:
    bare = synthetic.draw_card(None, np.random.default_rng(seed), 900)
    assert _examination(bare.pixels, None).document.evidence >= _EVIDENT
