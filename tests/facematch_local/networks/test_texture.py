"""The texture network: squares at the photo's own resolution, on and around the face, and their mean logit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.networks.texture import (
    AROUND,
    GRID_USUAL,
    GRID_WEIGHT,
    ON_FACE,
    TILE,
    TextureNetwork,
    texture_tiles,
)

Pixels = NDArray[np.uint8]


class _Entry:
    def __init__(self, name: str, type_: str, shape: list[object]) -> None:
        self.name, self.type, self.shape = name, type_, shape


class _Session:
    """An ONNX session whose logit is the mean of a square, 128 standing for 0."""

    def get_inputs(self) -> list[_Entry]:
        return [_Entry("tiles", "tensor(uint8)", ["n", TILE, TILE, 3])]

    def get_outputs(self) -> list[_Entry]:
        return [_Entry("scores", "tensor(float)", ["n", 1])]

    def get_modelmeta(self) -> object:
        return type("Meta", (), {"custom_metadata_map": {"facematch_convention": "texture-1"}})()

    def run(self, names: object, inputs: dict[str, Pixels]) -> list[NDArray[np.float32]]:
        return [inputs["tiles"].mean((1, 2, 3))[:, None].astype(np.float32) / 32 - 4]


def photo_of_places(height: int, width: int) -> Pixels:
    """Each pixel states its row and column, modulo 256."""
    row, column = np.mgrid[:height, :width]
    return np.stack([row % 256, column % 256, np.full_like(row, 128)], axis=2).astype(np.uint8)


def box(*edges: float) -> NDArray[np.float32]:
    return np.array(edges, np.float32)


def test_the_odds_of_the_squares_are_averaged() -> None:
    network = TextureNetwork(_Session())
    odds = (np.exp(-1.0) + 1) / 2
    squares = np.stack([np.full((TILE, TILE, 3), value, np.uint8) for value in (96, 128)])
    assert network.predict(squares) == pytest.approx(odds / (1 + odds), abs=1e-6)
    assert network.predict(squares[1:]) == pytest.approx(0.5, abs=1e-6)


def test_a_grid_raises_the_odds_and_its_absence_lowers_them() -> None:
    network = TextureNetwork(_Session())
    even = np.full((1, TILE, TILE, 3), 128, np.uint8)  # odds of 1
    assert network.predict(even, None) == network.predict(even, GRID_USUAL) == pytest.approx(0.5, abs=1e-6)
    seen = network.predict(even, GRID_USUAL + 2)
    assert seen / (1 - seen) == pytest.approx(np.exp(2 * GRID_WEIGHT), rel=1e-5)
    assert network.predict(even, GRID_USUAL - 1) < 0.5


@pytest.mark.parametrize("shape", [(96, 96), (97, 130), (180, 180), (640, 480), (1500, 2100)])
def test_squares_are_cut_from_the_photo_without_scaling(shape: tuple[int, int]) -> None:
    photo = photo_of_places(*shape)
    face = box(0.3 * shape[1], 0.3 * shape[0], 0.6 * shape[1], 0.7 * shape[0])
    squares = texture_tiles(photo, face)
    assert squares is not None
    assert squares.dtype == np.uint8
    assert squares.shape[1:] == (TILE, TILE, 3)
    assert 1 <= len(squares) <= ON_FACE + AROUND
    steps = np.diff(squares[..., :2].astype(int), axis=1)[..., 0], np.diff(squares.astype(int), axis=2)[..., 1]
    assert all(np.isin(step, (1, -255)).all() for step in steps)


@pytest.mark.parametrize(
    ("face", "places"),
    [
        # One square in the middle of a small face; those around it reach 2.7 times as far.
        ((132, 132, 268, 268), [(152, 152), (16, 16), (16, 84), (16, 152), (16, 220), (16, 288), (84, 16)]),
        # The longer side of the face decides how far: here beyond the photo.
        (
            (100, 160, 300, 260),
            [(162, 100), (162, 204), (0, 0), (0, 76), (0, 152), (0, 228), (0, 304), (76, 0)],
        ),
        (
            (160, 100, 260, 300),
            [(100, 162), (152, 162), (204, 162), (0, 0), (0, 76), (0, 152), (0, 228), (0, 304), (76, 0)],
        ),
    ],
)
def test_places_of_the_squares(face: tuple[int, ...], places: list[tuple[int, int]]) -> None:
    """All ground is as even as any other, so the first places around the face are taken."""
    row, column = np.mgrid[:400, :400] // 2
    photo = np.stack([row, np.full_like(row, 128), column], axis=2).astype(np.uint8)
    squares = texture_tiles(photo, box(*face))
    assert squares is not None
    assert (2 * squares[:, 0, 0, ::2].astype(int)).tolist() == [list(place) for place in places]


def test_a_large_face_gives_squares_on_it_and_on_the_most_even_ground() -> None:
    rng = np.random.default_rng(1)
    photo = rng.integers(0, 256, (1200, 1200, 3)).astype(np.uint8)
    photo[:, 900:] = 128
    photo[:, 780:900] = 3  # too dark to tell
    squares = texture_tiles(photo, box(400, 400, 700, 800))
    assert squares is not None
    assert len(squares) == ON_FACE + AROUND
    contrast = squares.std(axis=(1, 2, 3))
    assert (contrast[:ON_FACE] > 50).all()
    assert (contrast[ON_FACE:] == 0).sum() >= 3
    assert (squares[ON_FACE:].mean((1, 2, 3)) > 30).all()


@pytest.mark.parametrize("face", [(-50, -80, 20, 30), (600, 430, 700, 540), (10, 10, 10, 10), (-900, -900, 3000, 3000)])
def test_a_face_at_or_over_the_border_has_squares_inside(face: tuple[float, ...]) -> None:
    squares = texture_tiles(photo_of_places(480, 640), box(*face))
    assert squares is not None
    assert squares.shape[1:] == (TILE, TILE, 3)


@pytest.mark.parametrize("shape", [(95, 500), (500, 95), (1, 1)])
def test_a_photo_smaller_than_a_square_has_none(shape: tuple[int, int]) -> None:
    assert texture_tiles(photo_of_places(*shape), box(0, 0, *shape[::-1])) is None


def test_the_same_photo_gives_the_same_squares(astronaut: Pixels) -> None:
    face = box(178, 65, 269, 176)
    first, second = texture_tiles(astronaut, face), texture_tiles(astronaut.copy(), face)
    assert np.array_equal(first, second)
