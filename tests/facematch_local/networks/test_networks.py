"""Networks: their crops, their outputs passed on unchanged, and refusal of models with another convention."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from facematch_local.errors import PackError
from facematch_local.networks import Networks
from facematch_local.networks.document import DocumentNetwork, document_view
from facematch_local.networks.face_filter import FaceFilterNetwork, face_filter_crop
from facematch_local.networks.occlusion import OCCLUSION_TEMPLATE, OcclusionNetwork, occlusion_crop
from facematch_local.networks.photocopy import PhotocopyNetwork, photocopy_crop
from facematch_local.networks.recapture import RecaptureNetwork, recapture_crop
from facematch_local.packs import ModelFile, ModelPack, SessionSettings, open_networks
from tests.facematch_local.networks.made_networks import (
    channel_means,
    face_at,
    map_of_green,
    session,
    turned,
)

TEMPLATE = np.array(OCCLUSION_TEMPLATE)


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1.0), (30, 1.7), (-90, 3.0), (180, 9.0)])
def test_landmarks_are_mapped_to_the_template_for_any_position_of_the_face(degrees: float, scale: float) -> None:
    points = turned(TEMPLATE - 60, degrees, scale, (750, 750))
    photo = np.zeros((1500, 1500, 3), np.uint8)
    radius = int(2 * scale)
    yy, xx = np.mgrid[:1500, :1500]
    for x, y in points:
        photo[(xx - x) ** 2 + (yy - y) ** 2 <= radius**2] = 255
    crop = occlusion_crop(photo, face_at(points))
    assert crop.shape == (112, 112, 3)
    for x, y in TEMPLATE:
        window = crop[round(y) - 5 : round(y) + 6, round(x) - 5 : round(x) + 6, 0].astype(float)
        rows, columns = np.mgrid[round(y) - 5 : round(y) + 6, round(x) - 5 : round(x) + 6]
        found = np.array([(window * columns).sum(), (window * rows).sum()]) / window.sum()
        assert np.abs(found - (x, y)).max() < 0.6


def test_a_large_face_is_averaged_not_sampled() -> None:
    photo = np.indices((1400, 1400)).sum(axis=0)[..., None].repeat(3, axis=2) % 2 * 255  # a checkerboard of pixels
    crop = occlusion_crop(photo.astype(np.uint8), face_at(TEMPLATE * 10))
    assert np.abs(crop.astype(int) - 127).max() < 20


def test_border_pixels_are_repeated_outside_the_photo() -> None:
    photo = np.full((60, 60, 3), (10, 120, 230), np.uint8)
    crop = occlusion_crop(photo, face_at(TEMPLATE - 40))
    assert (crop == (10, 120, 230)).all()


@pytest.mark.parametrize("box", [(0, 0, 50, 60), (-500, -500, -400, -400), (30, 30, 30, 30), (900, 10, 990, 90)])
def test_coinciding_landmarks_and_boxes_outside_the_photo_still_give_crops(box: tuple[float, ...]) -> None:
    photo = np.full((90, 120, 3), 77, np.uint8)
    face = face_at(np.full((5, 2), 40.0), box)  # type: ignore[arg-type]
    assert (occlusion_crop(photo, face) == 77).all()
    assert (recapture_crop(photo, face.box) == 77).all()


def test_the_recapture_crop_follows_the_convention() -> None:
    photo = np.zeros((1000, 1000, 3), np.uint8)
    photo[400:600, 400:600] = 200  # the box: 200 x 200
    crop = recapture_crop(photo, np.array([400, 400, 600, 600], np.float32))
    assert (crop > 100).mean() == pytest.approx(1 / 2.7**2, rel=0.05)


def test_the_recapture_crop_moves_back_inside_the_photo() -> None:
    photo = np.zeros((400, 600, 3), np.uint8)
    photo[:200, :200] = 200  # the box: 100 x 80 in the corner, so the square is 270 wide and starts at 0, 0
    crop = recapture_crop(photo, np.array([0, 0, 100, 80], np.float32))
    assert (crop > 100).mean() == pytest.approx((200 / 270) ** 2, rel=0.05)


def test_the_recapture_crop_stays_inside_a_photo_smaller_than_it_is() -> None:
    photo = np.random.default_rng(1).integers(0, 256, (64, 50, 3), dtype=np.uint8)
    assert recapture_crop(photo, np.array([10, 10, 60, 60], np.float32)).shape == (80, 80, 3)


def test_scores_keep_their_order(tmp_path: Path) -> None:
    photo = np.full((200, 200, 3), (51, 102, 204), np.uint8)
    face = face_at(TEMPLATE, (50, 50, 120, 130))
    occlusion = OcclusionNetwork(session(channel_means(tmp_path / "o.onnx", "occlusion-1", 4)))
    scores = occlusion.predict(occlusion_crop(photo, face))
    assert (scores.sunglasses, scores.clear_glasses, scores.mask) == pytest.approx((0.2, 0.4, 0.8))
    assert scores.head_covering == pytest.approx(0.8)
    recapture = RecaptureNetwork(session(channel_means(tmp_path / "r.onnx", "recapture-1", 3)))
    result = recapture.predict(recapture_crop(photo, face.box), None)
    assert (result.live, result.print, result.screen) == pytest.approx((0.2, 0.4, 0.8))


def test_the_face_filter_sees_the_box_and_its_surroundings(tmp_path: Path) -> None:
    photo = np.zeros((300, 400, 3), np.uint8)
    photo[100:220, 150:240] = 204  # the box: 90 x 120
    box = np.array([150, 100, 240, 220], np.float32)
    crop = face_filter_crop(photo, box)
    assert crop.shape == (64, 64, 3)
    network = FaceFilterNetwork(session(channel_means(tmp_path / "c.onnx", "confirmation-1", 1)))
    assert network.confirm(photo, box, 0.5) == pytest.approx(0.8 * 90 / 120 / 1.4**2, rel=0.03)
    outside = face_filter_crop(np.full((40, 40, 3), 77, np.uint8), np.array([900, -50, 900, -50], np.float32))
    assert (outside == 77).all()


def test_the_document_view_is_around_the_face_or_the_whole_photo(tmp_path: Path) -> None:
    photo = np.zeros((1500, 2000, 3), np.uint8)
    photo[300:600, 600:1000, 1] = 255
    network = DocumentNetwork(session(map_of_green(tmp_path / "d.onnx")))
    everywhere = network.predict(photo, None)
    assert everywhere.window == (0, 0, 2000, 1500)
    assert everywhere.document == pytest.approx(300 * 400 / 1500 / 2000, rel=0.02)
    points = np.array([[690, 400], [710, 400], [700, 410], [692, 420], [708, 420]])
    near = network.predict(photo, face_at(points, (680, 380, 720, 440)))
    assert near.window == (340, 40, 1060, 760)  # 36 times 20 pixels, the middle between the eyes at (700, 400)
    assert near.document == pytest.approx(300 * 400 / 720**2, rel=0.02)
    assert near.places[13, 12] == pytest.approx(1.0)
    assert near.places[3, 12] == 0.0


def test_the_photocopy_crop_is_around_the_portrait(tmp_path: Path) -> None:
    photo = np.zeros((600, 800, 3), np.uint8)
    photo[:, 300:500] = 204
    points = 2 * TEMPLATE + np.array([400 - 2 * 56, 300 - 2 * 60])  # eyes 48 pixels apart, the middle at (400, 300)
    crop = photocopy_crop(photo, face_at(points))
    assert crop.shape == (96, 96, 3)
    lit = np.flatnonzero(crop[48, :, 0] > 100)
    assert (lit[0] + lit[-1]) / 2 == pytest.approx(47.5, abs=1)
    assert len(lit) == pytest.approx(200 / 48 * 0.44 * 35.24, abs=1.5)
    network = PhotocopyNetwork(session(channel_means(tmp_path / "c.onnx", "copy-1", 1)))
    assert network.predict(crop) == pytest.approx(0.8 * len(lit) / 96, abs=0.01)


@pytest.mark.parametrize("eye", [(-30.0, 50.0), (2000.0, 50.0), (50.0, 4000.0)])
def test_a_face_beyond_the_border_still_gives_a_view(eye: tuple[float, float]) -> None:
    face = face_at(np.array([eye] * 5), (*eye, eye[0] + 2, eye[1] + 2))
    for shape in ((60, 90, 3), (5, 3, 3)):
        assert document_view(np.zeros(shape, np.uint8), face).shape == (192, 192, 3)


def test_a_network_may_be_shared_between_threads(tmp_path: Path) -> None:
    network = OcclusionNetwork(session(channel_means(tmp_path / "o.onnx", "occlusion-1", 4)))
    face = face_at(TEMPLATE)

    def wrong(level: int) -> int:
        crop = occlusion_crop(np.full((112, 112, 3), level, np.uint8), face)
        return sum(abs(network.predict(crop).mask - level / 255) > 1e-5 for _ in range(20))

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(wrong, (10, 90, 170, 250))) == 0


@pytest.mark.parametrize("stated", ["", "occlusion-2", "recapture-1"])
def test_a_model_of_another_convention_is_refused(tmp_path: Path, stated: str) -> None:
    path = channel_means(tmp_path / "o.onnx", "occlusion-1", 4, stated)
    with pytest.raises(PackError, match="convention"):
        OcclusionNetwork(session(path), str(path))


def test_a_model_with_other_outputs_is_refused(tmp_path: Path) -> None:
    path = channel_means(tmp_path / "o.onnx", "occlusion-1", 5)
    with pytest.raises(PackError, match=r"o\.onnx"):
        OcclusionNetwork(session(path), str(path))


def pack_of(folder: Path, **files: Path) -> ModelPack:
    return ModelPack("x", "1", folder, {role: ModelFile(path) for role, path in files.items()})


def test_a_pack_opens_its_networks(tmp_path: Path) -> None:
    assert open_networks(pack_of(tmp_path), SessionSettings()) == Networks()
    occlusion = channel_means(tmp_path / "o.onnx", "occlusion-1", 4)
    recapture = channel_means(tmp_path / "r.onnx", "recapture-1", 3)
    only_one = open_networks(pack_of(tmp_path, occlusion=occlusion), SessionSettings())
    assert only_one.occlusion is not None
    assert only_one.recapture is None
    document = map_of_green(tmp_path / "d.onnx")
    copy = channel_means(tmp_path / "c.onnx", "copy-1", 1)
    texture = channel_means(tmp_path / "t.onnx", "texture-1", 1)
    files = {
        "occlusion": occlusion,
        "recapture": recapture,
        "texture": texture,
        "document": document,
        "photocopy": copy,
    }
    every = open_networks(pack_of(tmp_path, **files), SessionSettings())
    assert None not in (every.occlusion, every.recapture, every.texture, every.document, every.photocopy)


def test_the_error_names_a_damaged_network(tmp_path: Path) -> None:
    damaged = tmp_path / "bad.onnx"
    damaged.write_bytes(b"no model")
    with pytest.raises(PackError, match=r"bad\.onnx"):
        open_networks(pack_of(tmp_path, occlusion=damaged), SessionSettings())
