"""The texture network: squares at the photo's own resolution, on and around the face, and the mean of their odds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.imaging.grid import grid_of
from facematch_local.networks.texture import (
    AROUND,
    FIRST,
    GRID_USUAL,
    GRID_WEIGHT,
    ON_FACE,
    TILE,
    Corner,
    TextureNetwork,
    cut,
    squares_around,
    squares_on_face,
)

Pixels = NDArray[np.uint8]


class _Entry:
    def __init__(self, name: str, type_: str, shape: list[object]) -> None:
        self.name, self.type, self.shape = name, type_, shape


class _Session:
    """An ONNX session whose logit is the mean of a square, 128 standing for 0; it records how many squares it got."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def get_inputs(self) -> list[_Entry]:
        return [_Entry("tiles", "tensor(uint8)", ["n", TILE, TILE, 3])]

    def get_outputs(self) -> list[_Entry]:
        return [_Entry("scores", "tensor(float)", ["n", 1])]

    def get_modelmeta(self) -> object:
        return type("Meta", (), {"custom_metadata_map": {"facematch_convention": "texture-1"}})()

    def run(self, names: object, inputs: dict[str, Pixels]) -> list[NDArray[np.float32]]:
        self.asked.append(len(inputs["tiles"]))
        return [inputs["tiles"].mean((1, 2, 3))[:, None].astype(np.float32) / 32 - 4]


def photo_of_places(height: int, width: int) -> Pixels:
    """Each pixel states its row and column, modulo 256."""
    row, column = np.mgrid[:height, :width]
    return np.stack([row % 256, column % 256, np.full_like(row, 128)], axis=2).astype(np.uint8)


def box(*edges: float) -> NDArray[np.float32]:
    return np.array(edges, np.float32)


def corners_of(photo: Pixels, face: NDArray[np.float32]) -> list[Corner]:
    """Every square of a photo, in the order in which they are looked at."""
    on_face = squares_on_face(photo, face)
    return [*on_face, *squares_around(photo, face, on_face)]


def shift_of(photo: Pixels, face: NDArray[np.float32]) -> float:
    """What the grid adds to the logit; 0 for a photo that is too small to have one."""
    grid = grid_of(photo, face)
    return 0.0 if grid is None else GRID_WEIGHT * (grid - GRID_USUAL)


def test_the_odds_of_the_squares_are_averaged() -> None:
    """Two squares side by side, of logit -1 and 0, in a photo too small for a grid."""
    photo = np.full((100, 240, 3), 96, np.uint8)
    photo[:, 120:] = 128
    face = box(0, 0, 240, 100)
    left, right = squares_on_face(photo, face)
    assert (left[1], right[1]) == (0, 144)
    session = _Session()
    logit = TextureNetwork(session).predict(photo, face)
    corners = corners_of(photo, face)
    odds = [np.exp(square.mean() / 32 - 4) for square in cut(photo, corners)]
    assert logit == pytest.approx(np.log(np.mean(odds)), abs=1e-5)
    assert sum(session.asked) == len(corners)


def test_a_grid_raises_the_odds_and_its_absence_lowers_them() -> None:
    even = np.full((300, 300, 3), 128, np.uint8)  # odds of 1
    behind = even.copy()
    behind[::3, ::3] = 150
    face = box(50, 50, 250, 250)
    network = TextureNetwork(_Session())
    absent, seen = network.predict(even, face), network.predict(behind, face)
    assert absent == pytest.approx(shift_of(even, face), abs=1e-5)
    assert seen is not None
    assert shift_of(even, face) < 0 < shift_of(behind, face) < seen


@pytest.mark.parametrize(
    ("grey", "thorough", "few"), [(141, False, True), (141, True, False), (142, False, False), (142, True, False)]
)
def test_squares_beyond_the_first_are_looked_at_only_in_doubt(grey: int, thorough: bool, few: bool) -> None:
    photo = np.full((900, 900, 3), grey, np.uint8)
    face = box(200, 200, 700, 700)
    session = _Session()
    logit = TextureNetwork(session).predict(photo, face, thorough=thorough)
    assert logit is not None
    # An even photo has no grid, which takes 0.93 from the logit: -0.52 and -0.49.
    assert (logit <= -0.5) == (grey == 141)
    assert session.asked == ([FIRST] if few else [FIRST, ON_FACE + AROUND - FIRST])


def test_a_trace_in_one_of_the_further_squares_counts_where_the_first_leave_doubt() -> None:
    photo = np.full((900, 900, 3), 160, np.uint8)
    photo[:, :150] = 230
    face = box(300, 300, 650, 650)
    even = np.full((900, 900, 3), 160, np.uint8)
    with_trace = TextureNetwork(_Session()).predict(photo, face, thorough=False)
    without = TextureNetwork(_Session()).predict(even, face, thorough=False)
    assert with_trace is not None
    assert without is not None
    assert with_trace > without + 0.5


def test_the_squares_around_complete_the_first_ones_of_a_small_face() -> None:
    photo, face = np.full((400, 400, 3), 60, np.uint8), box(132, 132, 268, 268)
    session = _Session()
    assert len(squares_on_face(photo, face)) == 1
    TextureNetwork(session).predict(photo, face, thorough=False)
    assert session.asked == [FIRST]


def test_the_first_squares_of_a_large_face_are_at_its_corners() -> None:
    corners = squares_on_face(photo_of_places(900, 900), box(100, 200, 500, 800))
    assert corners[:4] == [(200, 100), (704, 404), (704, 100), (200, 404)]
    assert set(corners[4:]) == {(452, 100), (452, 404)}


@pytest.mark.parametrize("shape", [(96, 96), (97, 130), (180, 180), (640, 480), (1500, 2100)])
def test_squares_are_cut_from_the_photo_without_scaling(shape: tuple[int, int]) -> None:
    photo = photo_of_places(*shape)
    face = box(0.3 * shape[1], 0.3 * shape[0], 0.6 * shape[1], 0.7 * shape[0])
    squares = cut(photo, corners_of(photo, face))
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
            [(100, 162), (204, 162), (152, 162), (0, 0), (0, 76), (0, 152), (0, 228), (0, 304), (76, 0)],
        ),
    ],
)
def test_places_of_the_squares(face: tuple[int, ...], places: list[tuple[int, int]]) -> None:
    """All ground is as even as any other, so the first places around the face are taken."""
    row, column = np.mgrid[:400, :400] // 2
    photo = np.stack([row, np.full_like(row, 128), column], axis=2).astype(np.uint8)
    squares = cut(photo, corners_of(photo, box(*face)))
    assert (2 * squares[:, 0, 0, ::2].astype(int)).tolist() == [list(place) for place in places]


def test_a_large_face_gives_squares_on_it_and_on_the_most_even_ground() -> None:
    rng = np.random.default_rng(1)
    photo = rng.integers(0, 256, (1200, 1200, 3)).astype(np.uint8)
    photo[:, 900:] = 128
    photo[:, 780:900] = 3  # too dark to tell
    squares = cut(photo, corners_of(photo, box(400, 400, 700, 800)))
    assert len(squares) == ON_FACE + AROUND
    contrast = squares.std(axis=(1, 2, 3))
    assert (contrast[:ON_FACE] > 50).all()
    assert (contrast[ON_FACE:] == 0).sum() >= 3
    assert (squares[ON_FACE:].mean((1, 2, 3)) > 30).all()


@pytest.mark.parametrize("face", [(-50, -80, 20, 30), (600, 430, 700, 540), (10, 10, 10, 10), (-900, -900, 3000, 3000)])
def test_a_face_at_or_over_the_border_has_squares_inside(face: tuple[float, ...]) -> None:
    photo = photo_of_places(480, 640)
    squares = cut(photo, corners_of(photo, box(*face)))
    assert squares.shape[1:] == (TILE, TILE, 3)


@pytest.mark.parametrize("shape", [(95, 500), (500, 95), (1, 1)])
def test_a_photo_smaller_than_a_square_has_none(shape: tuple[int, int]) -> None:
    assert TextureNetwork(_Session()).predict(photo_of_places(*shape), box(0, 0, *shape[::-1])) is None


def test_the_same_photo_gives_the_same_squares(astronaut: Pixels) -> None:
    face = box(178, 65, 269, 176)
    assert corners_of(astronaut, face) == corners_of(astronaut.copy(), face)
