"""Random photos and faces: no check raises, causes an arithmetic warning or returns a number that is not finite."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facematch_local.checks import CHECKS, Examination, Role
from facematch_local.faces import Face
from facematch_local.faces.alignment import _USUAL_PLACES
from facematch_local.faces.analyser import _FARTHEST
from facematch_local.imaging.photo import Photo
from facematch_local.matcher import face_crop
from facematch_local.networks import Networks
from facematch_local.packs import LoadedPack, find_pack, load_pack

Pixels = NDArray[np.uint8]
BLOCK = 8

USUAL = settings(max_examples=12, deadline=None)
THOROUGH = settings(USUAL, max_examples=1000)
FEW = settings(USUAL, max_examples=3)
MANY = settings(USUAL, max_examples=250)


@dataclass(frozen=True)
class Placed:
    """A drawn face: middle and size in longest sides of the photo, roll in radians.

    `moved` (5, 2) is the displacement of each landmark as a share of the size.
    """

    middle: tuple[float, float]
    size: float
    turn: float
    moved: list[tuple[float, float]]
    coinciding: bool
    inverted: bool

    def in_photo(self, pixels: Pixels) -> Face:
        longest = max(pixels.shape[:2])
        size, middle = self.size * longest, np.array(self.middle) * longest
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        points = (np.array(_USUAL_PLACES) - 0.5 + self.moved) @ np.array([(cos, sin), (-sin, cos)]) * size + middle
        box = np.concatenate([middle - size / 2, middle + size / 2])
        if self.coinciding:
            points[:] = middle
        return Face((np.roll(box, 2) if self.inverted else box).astype(np.float32), points.astype(np.float32), 0.8)


@dataclass(frozen=True)
class Scene:
    """How to derive a photo from a real one, and the face to examine.

    Attributes:
        source: index of the real photo.
        size: height and width of the part in pixels.
        corner: row and column of the part, as shares of the possible range.
        flat: colour of the whole part; None to keep the photo.
        quality: JPEG quality to save the part with; None for no compression.
        frames: depth and colour (0 or 255) of a cover at the top, left, bottom and right.
        island: rows at the bottom and columns at the right to keep, and colour of the rest; the face's box is kept too.
        found: index of the face to examine, among those found in the whole photo.
        placed: a drawn face to examine instead.
        outline: corners of a document in shares of the photo; None if the checks have to find it.
    """

    source: int
    size: tuple[int, int]
    corner: tuple[float, float]
    flat: tuple[int, int, int] | None
    quality: int | None
    frames: list[tuple[int, int]]
    island: tuple[int, int, int] | None
    found: int
    placed: Placed | None
    outline: tuple[tuple[float, float], ...] | None = None


@dataclass(frozen=True, eq=False)
class Outlined(Examination):
    """An examination with given corners of the document."""

    corners: NDArray[np.float32] = field(default_factory=lambda: np.zeros((4, 2), np.float32))

    @property
    def document_corners(self) -> NDArray[np.float32]:  # type: ignore[override]
        return self.corners


SIDES = st.one_of(st.integers(1, 24), st.integers(1, 512), st.integers(1, 64).map(lambda blocks: blocks * BLOCK))
EDGES = st.one_of(st.sampled_from([0, BLOCK]), st.integers(0, 2 * BLOCK))
WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
SHARES = st.floats(0, 1, width=32)
COLOURS = st.sampled_from([0, 255])
FARTHEST = _FARTHEST / 2  # including its size, such a face is within the largest distance of a found one
PLACED = st.builds(
    Placed,
    middle=st.tuples(*2 * [st.one_of(st.floats(-0.5, 1.5), st.floats(-FARTHEST, FARTHEST))]),
    size=st.one_of(st.floats(0, 1), st.floats(0, 4)),
    turn=st.floats(-np.pi, np.pi),
    moved=st.one_of(
        st.just(5 * [(0.0, 0.0)]), st.lists(st.tuples(*2 * [st.floats(-0.5, 0.5)]), min_size=5, max_size=5)
    ),
    coinciding=st.sampled_from([False, False, False, True]),
    inverted=st.sampled_from([False, False, False, True]),
)
SCENES = st.builds(
    Scene,
    source=st.integers(0, 1),
    size=st.tuples(SIDES, SIDES),
    corner=st.tuples(SHARES, SHARES),
    flat=st.one_of(st.none(), st.none(), st.tuples(*3 * [st.integers(0, 255)])),
    quality=st.one_of(st.none(), st.integers(20, 98)),
    frames=st.lists(st.tuples(st.one_of(st.just(0), st.integers(0, 512)), COLOURS), min_size=4, max_size=4),
    island=st.one_of(st.none(), st.tuples(EDGES, EDGES, COLOURS)),
    found=st.integers(0, 5),
    placed=st.one_of(st.none(), PLACED),
    outline=st.one_of(st.none(), st.just(WHOLE), st.tuples(*4 * [st.tuples(*2 * [st.floats(-2, 3)])])),
)


# White except for the face and the last row, or column, of 8x8 blocks, none of which can be moved off the JPEG grid.
# Random scenes rarely have this form.
AT_THE_BOTTOM = Scene(0, (400, 400), (0.0, 0.0), None, None, 4 * [(0, 0)], (BLOCK, 0, 255), 0, None, WHOLE)
AT_THE_RIGHT = replace(AT_THE_BOTTOM, size=(512, 400), island=(0, BLOCK, 0))


@dataclass(frozen=True)
class Sources:
    """Real photos with their embedded faces, and the pack."""

    photos: tuple[tuple[Pixels, tuple[Face, ...]], ...]
    pack: LoadedPack

    def look(self, scene: Scene) -> tuple[Pixels, tuple[Face, ...]]:
        """The photo of a scene, and its faces as in a match: none, one or several."""
        whole, faces = self.photos[scene.source]
        height, width = (min(wanted, there) for wanted, there in zip(scene.size, whole.shape, strict=False))
        top, left = (
            round(share * (there - side))
            for share, there, side in zip(scene.corner, whole.shape, (height, width), strict=False)
        )
        pixels = whole[top : top + height, left : left + width].copy()
        shift = np.float32([left, top])
        here = [replace(f, box=f.box - np.tile(shift, 2), landmarks=f.landmarks - shift) for f in faces]
        seen = [f for f in here if (f.box[2:] > 0).all() and (f.box[:2] < (width, height)).all()]
        chosen = scene.placed.in_photo(pixels) if scene.placed else seen[scene.found % len(seen)] if seen else None
        if scene.flat is not None:
            pixels[:] = scene.flat
        if scene.quality is not None:
            pixels = _jpeg(pixels, scene.quality)
        if scene.island is not None:
            pixels = _island(pixels, chosen, *scene.island)
        for side, (depth, colour) in enumerate(scene.frames):
            np.rot90(pixels, -side)[:depth] = colour
        return pixels, () if chosen is None else (chosen, *(f for f in seen if f.area < chosen.area))


def _jpeg(pixels: Pixels, quality: int) -> Pixels:
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _island(pixels: Pixels, face: Face | None, rows: int, columns: int, colour: int) -> Pixels:
    height, width = pixels.shape[:2]
    kept = np.zeros((height, width), bool)
    kept[max(height - rows, 0) :] = kept[:, max(width - columns, 0) :] = True
    if face is not None:
        left, top, right, bottom = (max(round(float(edge)), 0) for edge in face.box)
        kept[top:bottom, left:right] = True
    return np.where(kept[..., None], pixels, np.uint8(colour))


@pytest.fixture(scope="module")
def sources(astronaut: Pixels, group_photo: Pixels) -> Sources:
    pack = load_pack(find_pack("compact"))
    assert None not in (
        pack.networks.occlusion,
        pack.networks.recapture,
        pack.networks.texture,
        pack.networks.document,
        pack.networks.photocopy,
    )
    found = [(photo, pack.analyser.find(photo)) for photo in (astronaut, group_photo)]
    assert [len(faces) for _, faces in found] == [1, 6]
    embedded = [(photo, tuple(pack.analyser.embed(photo, face) for face in faces)) for photo, faces in found]
    return Sources(tuple(embedded), pack)


def _checks_say_something(sources: Sources, scene: Scene) -> None:
    pixels, faces = sources.look(scene)
    for role in Role:
        for networks in (sources.pack.networks, Networks()):
            examination = _examination(
                scene, Examination(Photo(pixels), role, faces, networks, sources.pack.calibration)
            )
            # Run the checks one by one: `measure` of the package would hide an exception.
            for check in CHECKS[role]:
                taken = check.measure(examination)
                assert (taken.value is None) == bool(taken.reason), (check.name, taken)
                assert taken.value is None or (type(taken.value) is float and np.isfinite(taken.value)), check.name


def _examination(scene: Scene, examination: Examination) -> Examination:
    if scene.outline is None:
        return examination
    corners = np.array(scene.outline) * (examination.photo.width, examination.photo.height)
    same = {each.name: getattr(examination, each.name) for each in fields(Examination)}
    return Outlined(**same, corners=corners.astype(np.float32))


def _faces_are_cut(sources: Sources, scene: Scene) -> None:
    pixels, faces = sources.look(scene)
    analyser = sources.pack.analyser
    for face in faces[:1]:
        assert face_crop(Photo(pixels), face).size
        assert analyser.align(pixels, face).shape == (112, 112, 3)
        if analyser.locator is not None and analyser.face_filter is not None:
            assert np.isfinite(analyser.locator.locate(pixels, face.landmarks, face.box)).all()
            assert 0 <= analyser.face_filter.confirm(pixels, face.box, face.score) <= 1


def _faces_are_found(sources: Sources, scene: Scene) -> None:
    pixels, _ = sources.look(scene)
    for face in sources.pack.analyser.find(pixels):
        assert np.isfinite(face.box).all()
        assert np.isfinite(face.landmarks).all()
        embedding = sources.pack.analyser.embed(pixels, face).embedding
        assert embedding is not None
        assert np.isfinite(embedding).all()


WORK = {"checks": _checks_say_something, "crops": _faces_are_cut, "faces": _faces_are_found}


def _try(work: Callable[[Sources, Scene], None], sources: Sources, how: settings) -> None:
    @how
    @given(scene=SCENES)
    @example(scene=AT_THE_BOTTOM)
    @example(scene=AT_THE_RIGHT)
    def run(scene: Scene) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            work(sources, scene)

    run()


@pytest.mark.parametrize(("name", "how"), [("checks", USUAL), ("crops", USUAL), ("faces", FEW)])
def test_random_photos(sources: Sources, name: str, how: settings) -> None:
    _try(WORK[name], sources, how)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "how"), [("checks", THOROUGH), ("crops", THOROUGH), ("faces", MANY)])
def test_many_random_photos(sources: Sources, name: str, how: settings) -> None:
    _try(WORK[name], sources, how)


def test_scenes_are_built_as_described(sources: Sources) -> None:
    plain = Scene(1, (886, 1280), (0.0, 0.0), None, None, 4 * [(0, 0)], None, 2, None)
    pixels, faces = sources.look(plain)
    assert np.array_equal(pixels, sources.photos[1][0])
    assert len(faces) == 4  # the third largest and those smaller
    frames = [(5, 255), (7, 0), (11, 255), (13, 0)]
    framed, _ = sources.look(replace(plain, frames=frames))
    assert all(
        (np.rot90(framed, -side)[depth // 2, 20:-20] == colour).all() for side, (depth, colour) in enumerate(frames)
    )
    island, _ = sources.look(replace(plain, island=(8, 0, 255)))
    assert (island[:-8] == 255).all(axis=2).mean() > 0.9
    assert np.array_equal(island[-8:], sources.photos[1][0][-8:])
    beyond = replace(plain, placed=Placed((9.0, -9.0), 0.5, 0.0, 5 * [(0.0, 0.0)], False, False))
    assert sources.look(beyond)[1][0].box[0] > 8 * 1280
