"""Loaded packs: damaged and confused models, calibration curves, and networks of the shipped pack as fallback."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import packs
from facematch_local.calibration import GENERIC, GENERIC_STRICT
from facematch_local.errors import PackError
from facematch_local.faces import cosine
from facematch_local.matcher import FaceMatcher
from facematch_local.networks.face_filter import FaceFilterNetwork
from facematch_local.networks.landmarks import LandmarkNetwork
from facematch_local.packs import (
    ModelFile,
    calibration_for,
    fallback_networks,
    find_pack,
    load_pack,
    read_pack,
    sha256_of,
)
from tests.facematch_local.packs.made_packs import (
    copied,
    forget_checksums,
    message_of,
    plain,
    without_networks,
)


def test_truncated_model(pack_path: Path, tmp_path: Path) -> None:
    folder = copied(pack_path, tmp_path / "x")
    pack = read_pack(folder)
    path = pack.files["detection"].path
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    forget_checksums(folder)
    message = message_of(lambda: load_pack(read_pack(folder)))
    assert path.name in message


def test_roles_confused(pack_path: Path, tmp_path: Path) -> None:
    pack = read_pack(copied(pack_path, tmp_path / "x"))
    detection, recognition = pack.files["detection"].path, pack.files["recognition"].path
    (tmp_path / "x" / "pack.toml").write_text(
        f'name = "x"\n[tasks.detection]\nfile = "{recognition.relative_to(tmp_path / "x")}"\n'
        f'[tasks.recognition]\nfile = "{detection.relative_to(tmp_path / "x")}"\n'
    )
    message = message_of(lambda: load_pack(read_pack(tmp_path / "x")))
    assert "does not identify this model as one for detection" in message


def test_models_that_open_but_do_not_work(tmp_path: Path) -> None:
    message = message_of(lambda: load_pack(read_pack(plain(tmp_path / "x"))))
    assert "det_10g.onnx: does not work as a detector" in message


def test_sessions_do_not_multiply_with_photo_shapes(matcher: FaceMatcher) -> None:
    detector = matcher.pack.analyser.detector
    for shape in ((300, 400, 3), (400, 300, 3), (500, 200, 3)):
        matcher.pack.analyser.find(np.zeros(shape, np.uint8))
    sessions = detector.resolution_sessions.values()  # type: ignore[attr-defined]
    assert {id(session) for session in sessions} <= {id(detector.session)}  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_pack_opens_in_plain_insightface(pack_path: Path, matcher: FaceMatcher, astronaut: NDArray[np.uint8]) -> None:
    from insightface.app import FaceAnalysis

    app = FaceAnalysis(name=str(pack_path), providers=["CPUExecutionProvider"])
    app.prepare(ctx_id=-1, det_size=(640, 640))
    theirs = max(app.get(astronaut.copy()), key=lambda face: face.bbox[2] - face.bbox[0])
    analyser = matcher.pack.analyser
    ours = analyser.embed(astronaut, analyser.find(astronaut)[0])
    assert ours.embedding is not None
    assert float(np.dot(ours.embedding, theirs.normed_embedding)) > 0.95
    assert cosine(ours, ours) == pytest.approx(1.0, abs=1e-6)


def test_the_generic_curve_is_for_weights_nobody_calibrated(tmp_path: Path) -> None:
    assert calibration_for(read_pack(plain(tmp_path / "x"))) is GENERIC


def test_a_curve_for_other_weights_does_not_count(tmp_path: Path) -> None:
    folder = plain(tmp_path / "x")
    curve = [{"cosine": 0.0, "percent": 0.0}, {"cosine": 0.4, "percent": 75.0}, {"cosine": 1.0, "percent": 100.0}]
    manifest = (
        'name = "x"\ncalibration = "calibration.json"\n[tasks.detection]\nfile = "det_10g.onnx"\n'
        '[tasks.recognition]\nfile = "w600k_r50.onnx"\nmirror = true\n'
    )
    (folder / "pack.toml").write_text(manifest, "utf-8")
    for weights, calibrated in (("", True), (sha256_of(folder / "w600k_r50.onnx"), True), ("ab" * 32, False)):
        content = {"id": "own", "curve": curve, "recogniser_sha256": weights, "mirror": True}
        (folder / "calibration.json").write_text(json.dumps(content), "utf-8")
        assert calibration_for(read_pack(folder)).calibrated is calibrated
    content |= {"recogniser_sha256": sha256_of(folder / "w600k_r50.onnx"), "landmarks_sha256": "cd" * 32}
    (folder / "calibration.json").write_text(json.dumps(content), "utf-8")
    assert calibration_for(read_pack(folder)) is GENERIC_STRICT  # made with a landmark head that the pack has not
    assert read_pack(folder).mirror is True
    assert read_pack(plain(tmp_path / "y")).mirror is False


def test_the_shipped_pack_is_calibrated_with_its_landmark_head() -> None:
    shipped = find_pack("compact")
    curve = calibration_for(shipped)
    assert curve.calibrated
    assert curve.landmarks_sha256 == sha256_of(shipped.files["landmarks"].path)
    without = replace(shipped, files={role: file for role, file in shipped.files.items() if role != "landmarks"})
    assert calibration_for(without) is GENERIC_STRICT


@pytest.mark.parametrize(("role", "attribute"), [("landmarks", "locator"), ("face_filter", "face_filter")])
def test_networks_that_belong_to_the_detector_are_opened_and_have_no_fallback(role: str, attribute: str) -> None:
    shipped = find_pack("compact")
    assert getattr(load_pack(shipped).analyser, attribute) is not None
    bare = replace(shipped, files={name: file for name, file in shipped.files.items() if name != role})
    assert getattr(load_pack(bare).analyser, attribute) is None
    assert role not in fallback_networks(bare)
    wrong = replace(shipped, files={**shipped.files, role: ModelFile(shipped.files["occlusion"].path)})
    with pytest.raises(PackError, match=r"occlusion\.onnx.*convention"):
        load_pack(wrong)


def test_a_curve_made_with_other_looks_or_without_the_mirror_does_not_count() -> None:
    pack = find_pack("compact")
    assert calibration_for(pack).calibrated
    assert calibration_for(replace(pack, landmark_looks=2)) == GENERIC_STRICT
    assert calibration_for(replace(pack, mirror=True)) == GENERIC_STRICT


def test_a_curve_in_the_folder_of_a_plain_pack_is_found(tmp_path: Path) -> None:
    folder = plain(tmp_path / "x")
    assert read_pack(folder).calibration is None
    curve = [{"cosine": 0.0, "percent": 0.0}, {"cosine": 0.4, "percent": 75.0}, {"cosine": 1.0, "percent": 100.0}]
    (folder / "calibration.json").write_text(json.dumps({"id": "own", "curve": curve}), "utf-8")
    assert calibration_for(read_pack(folder)).id == "own"


def test_the_shipped_networks_are_the_fallback_for_missing_tasks(tmp_path: Path) -> None:
    shipped, bare = find_pack(), read_pack(plain(tmp_path / "plain"))
    assert fallback_networks(bare) == {
        role: shipped.files[role] for role in ("occlusion", "recapture", "texture", "document", "photocopy")
    }
    own = replace(bare, files={**bare.files, "occlusion": ModelFile(tmp_path / "own.onnx")})
    others = ("recapture", "texture", "document", "photocopy")
    assert fallback_networks(own) == {role: shipped.files[role] for role in others}
    assert fallback_networks(shipped) == {}


def test_there_is_no_fallback_where_the_shipped_pack_or_its_network_was_taken_out(tmp_path: Path) -> None:
    bare = read_pack(plain(tmp_path / "plain"))
    assert fallback_networks(bare, [tmp_path]) == {}
    shipped = tmp_path / "compact"
    shutil.copytree(find_pack("compact").folder, shipped)
    (shipped / "rec.onnx").unlink()
    assert set(fallback_networks(bare, [tmp_path])) == {"occlusion", "recapture", "texture", "document", "photocopy"}
    (shipped / "networks" / "occlusion.onnx").unlink()
    assert set(fallback_networks(bare, [tmp_path])) == {"recapture", "texture", "document", "photocopy"}


def test_a_damaged_fallback_network_is_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "shipped" / "compact"
    shutil.copytree(find_pack("compact").folder, shipped)
    (shipped / "networks" / "occlusion.onnx").write_bytes(b"\x08damaged")
    bare = read_pack(without_networks(tmp_path / "bare"))
    monkeypatch.setattr(packs.search, "shipped_folders", lambda: (shipped.parent,))
    with pytest.raises(PackError, match=r"a network of compact, the fallback for bare: .*occlusion\.onnx: damaged"):
        load_pack(bare)
    assert load_pack(bare, fallback=False).fallback == ()


def test_a_pack_without_networks_uses_the_shipped_ones(tmp_path: Path) -> None:
    bare = read_pack(without_networks(tmp_path / "bare"))
    loaded = load_pack(bare)
    assert loaded.fallback == ("occlusion", "recapture", "texture", "document", "photocopy")
    assert loaded.networks.occlusion is not None
    assert loaded.networks.recapture is not None
    assert "occlusion" not in loaded.pack.files
    assert load_pack(bare, fallback=False).networks.occlusion is None


@pytest.mark.parametrize("role", ["landmarks", "face_filter"])
def test_a_network_that_fails_at_its_first_photo_is_refused_when_opened(
    role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = {"landmarks": LandmarkNetwork, "face_filter": FaceFilterNetwork}[role]
    method = {"landmarks": "predict", "face_filter": "confirm"}[role]

    def fails(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(kind, method, fails)
    with pytest.raises(PackError, match=rf"fails at the task {role} \(RuntimeError\)"):
        load_pack(find_pack("compact"))
    monkeypatch.setattr(kind, method, lambda *_: np.full((5, 2), np.nan) if role == "landmarks" else float("nan"))
    with pytest.raises(PackError, match=rf"gives no usable output for the task {role}"):
        load_pack(find_pack("compact"))
