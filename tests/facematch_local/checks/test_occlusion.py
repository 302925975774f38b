"""Codes 7, 8, 9: the network runs once, and each check requires its region inside the picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.checks import Examination, Role, occlusion
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo
from facematch_local.networks import Networks
from facematch_local.networks.occlusion import OcclusionScores
from facematch_local.packs import find_pack, load_pack
from facematch_local.policy import load_policy


class _Network:
    """An occlusion network with fixed scores that counts its calls."""

    def __init__(self, mask: float = 0.3) -> None:
        self.asked, self.mask = 0, mask

    def predict(self, crop: NDArray[np.uint8]) -> OcclusionScores:
        self.asked += 1
        return OcclusionScores(sunglasses=0.1, clear_glasses=0.9, mask=self.mask, head_covering=0.7)


def _examination(pixels: NDArray[np.uint8], face: Face | None, network: Any = None) -> Examination:
    networks = Networks(occlusion=network or _Network())
    return Examination(Photo(pixels), Role.PORTRAIT, (face,) if face else (), networks)


def _limit(name: str) -> float:
    maximum = load_policy().limits[Role.PORTRAIT][name].maximum
    assert maximum is not None
    return maximum


def test_the_network_runs_once_for_all_three_checks(photo: NDArray[np.uint8], astronaut_face: Face) -> None:
    network = _Network(mask=0.0)
    examination = _examination(photo, astronaut_face, network)
    values = [check(examination) for check in (occlusion.sunglasses, occlusion.head_covering, occlusion.mask)]
    assert [m.value for m in values] == [0.1, pytest.approx(0.7), 0.0]
    assert network.asked == 1


@pytest.mark.parametrize("check", [occlusion.sunglasses, occlusion.head_covering, occlusion.mask])
def test_no_face_is_not_assessed(photo: NDArray[np.uint8], check: Any) -> None:
    measure = check(_examination(photo, None))
    assert measure.value is None
    assert measure.reason == "no face was found"


def _cut(photo: NDArray[np.uint8], face: Face, left: int, top: int, right: int, bottom: int) -> Examination:
    """The photo cropped to these edges, and the face in its pixels."""
    shift = np.float32([left, top])
    part = np.ascontiguousarray(photo[top:bottom, left:right])
    return _examination(part, Face(face.box - np.tile(shift, 2), face.landmarks - shift, face.score))


def _turned(examination: Examination) -> Examination:
    """Photo and face after a quarter turn counterclockwise."""
    width = examination.photo.pixels.shape[1]
    face = examination.faces[0]
    points = np.stack([face.landmarks[:, 1], width - 1 - face.landmarks[:, 0]], axis=1)
    left, top, right, bottom = face.box
    box = np.float32([top, width - 1 - right, bottom, width - 1 - left])
    return _examination(np.ascontiguousarray(np.rot90(examination.photo.pixels)), Face(box, points, face.score))


def test_a_picture_that_ends_at_the_brows_is_not_assessed_for_hats(
    photo: NDArray[np.uint8], astronaut_face: Face
) -> None:
    examination = _cut(photo, astronaut_face, 0, 85, 512, 512)
    for _ in range(4):
        assert occlusion.head_covering(examination).reason == "the picture ends at the brows"
        assert occlusion.mask(examination).value is not None
        examination = _turned(examination)


def test_a_rotated_head_at_the_border_is_assessed_for_hats(photo: NDArray[np.uint8], astronaut_face: Face) -> None:
    ear = int(astronaut_face.landmarks[:, 0].max() + 0.4 * astronaut_face.inter_eye_distance)
    lying = _turned(_cut(photo, astronaut_face, 0, 0, ear, 512))
    assert lying.faces[0].landmarks[:, 1].min() < 20
    assert occlusion.head_covering(lying).value is not None


def test_a_face_cut_at_the_mouth_is_not_assessed_for_masks(photo: NDArray[np.uint8], astronaut_face: Face) -> None:
    x, y = astronaut_face.landmarks[3:5].mean(axis=0).astype(int)
    for edges in ((0, 0, 512, y - 6), (x, 0, 512, 512), (0, 0, x, 512)):
        cut = _cut(photo, astronaut_face, *edges)
        assert occlusion.mask(cut).reason == "the picture ends at the mouth"
    assert occlusion.sunglasses(_cut(photo, astronaut_face, 0, 0, 512, y - 6)).value is not None


@pytest.mark.parametrize("beside", [-0.1, 0.05, 0.4])
def test_a_face_cut_by_a_side_is_not_assessed(photo: NDArray[np.uint8], astronaut_face: Face, beside: float) -> None:
    """The picture ends less than 0.15 inter-eye distances beside an eye; for masks, more than 0.05 inside it."""
    reach, eyes = beside * astronaut_face.inter_eye_distance, astronaut_face.landmarks[[0, 1, 3, 4], 0]
    for edges in ((int(eyes.min() - reach), 0, 512, 512), (0, 0, int(eyes.max() + reach), 512)):
        examination = _cut(photo, astronaut_face, *edges)
        for _ in range(4):
            for check in (occlusion.sunglasses, occlusion.head_covering):
                assert (check(examination).value is None) == (beside < 0.15)
            assert (occlusion.mask(examination).value is None) == (beside < -0.05)
            examination = _turned(examination)


def test_a_mask_counts_for_less_the_more_of_the_mouth_is_outside(
    photo: NDArray[np.uint8], astronaut_face: Face
) -> None:
    """Tight crops of masked faces are assessed; the repeated border alone does not reach the limit."""
    eyes, unit = astronaut_face.eye_midpoint, astronaut_face.inter_eye_distance
    values = {}
    for missing in (-0.2, 0.0, 0.05, 0.1):
        cut = _cut(photo, astronaut_face, 0, 0, 512, round(float(eyes[1] + (1.15 - missing) * unit)))
        for mask in (0.3, 0.99):
            seen = _examination(cut.photo.pixels, cut.face, _Network(mask))
            values[mask, missing] = occlusion.mask(seen).value or 0.0
    assert values[0.3, -0.2] == pytest.approx(0.3)
    assert values[0.99, -0.2] == pytest.approx(0.99)
    assert values[0.3, -0.2] >= values[0.3, 0.0] > values[0.3, 0.05] > values[0.3, 0.1]
    assert values[0.3, 0.1] < _limit("mask") < values[0.99, 0.1]


def test_a_mask_lowers_the_result_for_hats(photo: NDArray[np.uint8], astronaut_face: Face) -> None:
    found = {
        mask: occlusion.head_covering(_examination(photo, astronaut_face, _Network(mask))).value
        for mask in (0.0, 0.5, 1.0)
    }
    assert found[0.0] == pytest.approx(0.7)
    assert found[0.0] > found[0.5] > found[1.0]  # type: ignore[operator]
    assert found[1.0] == pytest.approx(1 / (1 + 0.3 / 0.7 * 0.75 / 0.25 * 0.4 / 0.6))


def _reduced(photo: NDArray[np.uint8], face: Face, pixels: float) -> tuple[NDArray[np.uint8], Face]:
    """The photo scaled down until the eyes are `pixels` apart."""
    scale = pixels / face.inter_eye_distance
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small, Face((face.box * scale).astype(np.float32), (face.landmarks * scale).astype(np.float32), 0.9)


@pytest.mark.parametrize(
    ("pixels", "assessed"),
    [
        (9, ("sunglasses", "head_covering", "mask")),
        (7, ("sunglasses", "mask")),
        (4.5, ("mask",)),
        (3.5, ()),
    ],
)
def test_small_faces_are_not_assessed(
    photo: NDArray[np.uint8], astronaut_face: Face, pixels: float, assessed: tuple[str, ...]
) -> None:
    small, face = _reduced(photo, astronaut_face, pixels)
    checks = {"sunglasses": occlusion.sunglasses, "head_covering": occlusion.head_covering, "mask": occlusion.mask}
    examination = _examination(small, face)
    assert tuple(name for name, check in checks.items() if check(examination).value is not None) == assessed


def test_the_result_decreases_with_the_size_of_a_small_face(photo: NDArray[np.uint8], astronaut_face: Face) -> None:
    found = []
    for pixels in (12, 8, 6, 5):
        small, face = _reduced(photo, astronaut_face, pixels)
        found.append(occlusion.mask(_examination(small, face, _Network(mask=0.9))).value)
    assert found[0] == pytest.approx(0.9)
    assert found[1] == pytest.approx(0.9)
    assert found[1] > found[2] > found[3] > _limit("mask")  # type: ignore[operator]
    small, face = _reduced(photo, astronaut_face, 5)
    assert occlusion.mask(_examination(small, face, _Network(mask=0.6))).value < _limit("mask")  # type: ignore[operator]


def test_each_missing_pixel_between_the_eyes_costs_the_same_evidence() -> None:
    """Below 8 pixels: 0.4 logits for sunglasses, 1.1 for a mask."""
    for eye_distance, missing in ((7.5, 0.5), (6.0, 2.0), (5.5, 2.5), (8.0, 0.0), (9.0, 0.0)):
        half = eye_distance / 2
        points = [(100 - half, 100), (100 + half, 100), (100, 102), (99, 104), (101, 104)]
        face = Face(np.array([90, 90, 110, 115], np.float32), np.array(points, np.float32), 0.9)
        examination = _examination(np.zeros((200, 200, 3), np.uint8), face, _Network(mask=0.5))
        assert occlusion.sunglasses(examination).value == pytest.approx(1 / (1 + 9 * np.exp(0.4 * missing)))
        assert occlusion.mask(examination).value == pytest.approx(1 / (1 + np.exp(1.1 * missing)))


@pytest.fixture(scope="module")
def networks() -> Networks:
    return load_pack(find_pack("compact")).networks


def _with_hair(photo: NDArray[np.uint8], face: Face, brow: float, ground: int) -> NDArray[np.uint8]:
    """The head with a black bob on a plain ground; the fringe ends `brow` eye distances above the eyes."""
    unit, (x, y) = face.inter_eye_distance, face.eye_midpoint
    head, skin = np.zeros(photo.shape[:2], np.uint8), np.zeros(photo.shape[:2], np.uint8)
    cv2.ellipse(head, (int(x), int(y)), (int(1.35 * unit), int(1.8 * unit)), 0, 0, 360, (255,), -1)
    cv2.ellipse(skin, (int(x), int(y + 0.45 * unit)), (int(unit), int(1.5 * unit)), 0, 0, 360, (255,), -1)
    skin[: int(y - brow * unit)] = 0
    hair = cv2.GaussianBlur(((head > 0) & (skin == 0)).astype(np.float32), (0, 0), 2)[..., None]
    strands = np.random.default_rng(0).normal(0, 1, (6, photo.shape[1])).astype(np.float32)
    strands = cv2.resize(strands, photo.shape[1::-1], interpolation=cv2.INTER_CUBIC)[..., None]
    out = np.where(((head > 0) | (skin > 0))[..., None], photo, ground).astype(np.float32)
    return np.clip(out * (1 - hair) + np.float32([18, 18, 22]) * (1 + 0.35 * strands) * hair, 0, 255).astype(np.uint8)


def _with_santa_hat(photo: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """A red cone that falls to a side, with a broad white rim."""
    out, unit, (x, y) = photo.copy(), face.inter_eye_distance, face.eye_midpoint
    cone = np.array([(-1.3, -0.9), (-0.9, -2.1), (0.2, -2.7), (1.6, -2.0), (1.9, -1.0), (1.3, -1.7), (1.3, -0.9)])
    cv2.fillPoly(out, [np.round(cone * unit + (x, y)).astype(np.int32)], (35, 30, 190), cv2.LINE_AA)
    rim = tuple(np.round((float(x), float(y) - 0.9 * unit)).astype(int).tolist())
    cv2.ellipse(out, rim, (int(1.45 * unit), int(0.28 * unit)), 0, 0, 360, (235, 235, 235), -1, cv2.LINE_AA)
    return out


@pytest.mark.parametrize("ground", [20, 200])
@pytest.mark.parametrize("brow", [0.35, 0.5, 0.7])
def test_a_black_fringe_is_neither_a_hat_nor_sunglasses(
    photo: NDArray[np.uint8], astronaut_face: Face, networks: Networks, brow: float, ground: int
) -> None:
    examination = Examination(
        Photo(_with_hair(photo, astronaut_face, brow, ground)), Role.PORTRAIT, (astronaut_face,), networks
    )
    for check in (occlusion.head_covering, occlusion.sunglasses):
        value = check(examination).value
        assert value is not None
        assert value < _limit(check.__name__)


def test_a_santa_hat_is_a_head_covering_on_any_hair(
    photo: NDArray[np.uint8], astronaut_face: Face, networks: Networks
) -> None:
    for bare in (photo, _with_hair(photo, astronaut_face, 0.5, 200)):
        seen = Photo(_with_santa_hat(bare, astronaut_face))
        value = occlusion.head_covering(Examination(seen, Role.PORTRAIT, (astronaut_face,), networks)).value
        assert value is not None
        assert value > _limit("head_covering")
