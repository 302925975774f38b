"""Packs: manifests, plain folders, search order, every way a pack can be broken; real weights where there are any."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from facematch_local import packs
from facematch_local.calibration import GENERIC, GENERIC_STRICT
from facematch_local.errors import PackError
from facematch_local.faces import cosine
from facematch_local.matcher import FaceMatcher
from facematch_local.networks.face_filter import FaceFilterNetwork
from facematch_local.networks.landmarks import LandmarkNetwork
from facematch_local.packs import (
    ModelFile,
    ModelPack,
    calibration_for,
    fallback_networks,
    find_pack,
    load_pack,
    read_pack,
    scan_packs,
    search_folders,
    sha256_of,
    verify_pack,
)


def model(path: Path, outputs: int, shape: tuple[int | str, ...], old: bool = False) -> None:
    """A tiny ONNX model with the given number of outputs and input shape; `old` lists its weights as inputs."""
    names = [f"o{index}" for index in range(outputs)]
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    if old:
        inputs.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [1]))
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "w"], [name]) for name in names],
        "tiny",
        inputs,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names],
        [weight],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))


def plain(folder: Path) -> Path:
    """The layout of buffalo_l: detector and recogniser among models of other kinds."""
    model(folder / "1k3d68.onnx", 1, (1, 3, 192, 192))
    model(folder / "2d106det.onnx", 1, (1, 3, 192, 192))
    model(folder / "det_10g.onnx", 9, (1, 3, "h", "w"))
    model(folder / "genderage.onnx", 1, (1, 3, 96, 96))
    model(folder / "w600k_r50.onnx", 1, ("n", 3, 112, 112))
    return folder


def with_manifest(folder: Path, **changes: str) -> Path:
    plain(folder)
    digest = sha256_of(folder / "w600k_r50.onnx")
    text = f"""
name = "mine"
version = "1.2"

[licence]
id = "Apache-2.0"
commercial_use = true

[tasks.detection]
file = "det_10g.onnx"

[tasks.recognition]
file = "w600k_r50.onnx"
sha256 = "{digest}"
"""
    for old, new in changes.items():
        text = text.replace(old.replace("__", " "), new)
    (folder / "pack.toml").write_text(text, "utf-8")
    return folder


def message_of(action: Callable[[], object]) -> str:
    with pytest.raises(PackError) as caught:
        action()
    message = str(caught.value)
    assert "\n" not in message
    return message


# --- reading --------------------------------------------------------------------------------------


def test_plain_folder(tmp_path: Path) -> None:
    pack = read_pack(plain(tmp_path / "buffalo_l"))
    assert pack.name == "buffalo_l"
    assert {role: file.path.name for role, file in pack.files.items()} == {
        "detection": "det_10g.onnx",
        "recognition": "w600k_r50.onnx",
    }
    assert pack.commercial_use is None


def test_weights_among_the_inputs_do_not_count_as_inputs(tmp_path: Path) -> None:
    folder = plain(tmp_path / "old")
    model(folder / "w600k_r50.onnx", 1, (1, 3, 112, 112), old=True)
    assert read_pack(folder).files["recognition"].path.name == "w600k_r50.onnx"


def test_manifest(tmp_path: Path) -> None:
    pack = read_pack(with_manifest(tmp_path / "x"))
    assert (pack.name, pack.version, pack.licence, pack.commercial_use) == ("mine", "1.2", "Apache-2.0", True)
    verify_pack(pack)


@pytest.mark.parametrize(
    "text", ["", "name = ", 'name = "x"', 'name = "x"\nroles = 3', "\ufeff", "[tasks.detection]\n"]
)
def test_wrong_manifest(tmp_path: Path, text: str) -> None:
    folder = with_manifest(tmp_path / "x")
    (folder / "pack.toml").write_text(text, "utf-8")
    assert "pack.toml: not a valid manifest" in message_of(lambda: read_pack(folder))


@pytest.mark.parametrize("path", ["/det.onnx", "../det.onnx", "a/../../det.onnx", "C:/det.onnx", "..\\det.onnx"])
def test_a_manifest_keeps_to_its_folder(tmp_path: Path, path: str) -> None:
    folder = with_manifest(tmp_path / "x", **{'"det_10g.onnx"': f"'{path}'"})
    message = message_of(lambda: read_pack(folder))
    assert "tasks.detection.file" in message
    assert "inside the pack's folder" in message


@pytest.mark.parametrize(
    "line",
    [
        'name = "red\\u001b[31m"',
        'name = "two\\nlines"',
        'name = ""',
        'name = "' + "x" * 300 + '"',
        "name = " + "[" * 5000,
    ],
)
def test_a_manifest_says_nothing_that_a_terminal_obeys(tmp_path: Path, line: str) -> None:
    folder = with_manifest(tmp_path / "x", **{'name = "mine"': line})
    assert "not a valid manifest" in message_of(lambda: read_pack(folder))


@pytest.mark.parametrize("path", [".", "", "det\\u0000.onnx"])
def test_a_manifest_names_files(tmp_path: Path, path: str) -> None:
    folder = with_manifest(tmp_path / "x", **{'"det_10g.onnx"': f'"{path}"'})
    assert "tasks.detection.file" in message_of(lambda: read_pack(folder))


def test_names_that_no_file_can_have_are_no_packs(tmp_path: Path) -> None:
    for name in ("x" * 5000, f"{tmp_path}/" + "y" * 5000):
        with pytest.raises(PackError, match="no model pack"):
            find_pack(name, [tmp_path])


def test_why_a_pack_is_missing_is_one_clean_line(tmp_path: Path) -> None:
    with_manifest(tmp_path / "compact")
    (described(tmp_path / "standard") / "missing.txt").write_bytes(b"no \xff\x1b[31m\nindex")
    notice = find_pack("auto", [tmp_path]).notice
    assert notice.isprintable()
    assert "index" in notice


def test_a_base_may_be_described_in_one_folder_and_lie_in_another(tmp_path: Path) -> None:
    described(tmp_path / "one" / "standard")
    with_manifest(tmp_path / "two" / "standard")
    model(tmp_path / "one" / "top" / "own.onnx", 1, (1, 3, 112, 112))
    (tmp_path / "one" / "top" / "pack.toml").write_text(
        'name = "top"\nbase = "standard"\n[tasks.recognition]\nfile = "own.onnx"\n'
    )
    pack = read_pack(tmp_path / "one" / "top", [tmp_path / "one", tmp_path / "two"])
    assert pack.files["detection"].path.parent == tmp_path / "two" / "standard"


def test_a_manifest_with_an_unknown_key(tmp_path: Path) -> None:
    folder = with_manifest(tmp_path / "x", **{'version = "1.2"': 'versoin = "1.2"'})
    assert "versoin: Extra inputs are not permitted" in message_of(lambda: read_pack(folder))


def test_roles_that_a_pack_lacks_come_from_its_base(tmp_path: Path) -> None:
    with_manifest(tmp_path / "base")
    model(tmp_path / "top" / "own.onnx", 1, (1, 3, 112, 112))
    (tmp_path / "top" / "pack.toml").write_text('name = "top"\nbase = "base"\n[tasks.recognition]\nfile = "own.onnx"\n')
    pack = read_pack(tmp_path / "top", [])
    assert pack.files["recognition"].path == tmp_path / "top" / "own.onnx"
    assert pack.files["detection"].path == tmp_path / "base" / "det_10g.onnx"
    (tmp_path / "top" / "pack.toml").write_text('name = "top"\nbase = "gone"\n[tasks.recognition]\nfile = "own.onnx"\n')
    assert "its base, the pack 'gone', is not installed" in message_of(lambda: read_pack(tmp_path / "top", []))


def test_a_pack_uses_the_roles_of_its_base_as_the_base_does(tmp_path: Path) -> None:
    base = with_manifest(tmp_path / "base") / "pack.toml"
    stated = '[detection]\nconfirm_below = 0.85\nlandmark_looks = 2\n[tasks.landmarks]\nfile = "det_10g.onnx"\n'
    base.write_text(base.read_text() + stated)
    model(tmp_path / "top" / "own.onnx", 1, (1, 3, 112, 112))
    manifest = tmp_path / "top" / "pack.toml"
    manifest.write_text('name = "top"\nbase = "base"\n[tasks.recognition]\nfile = "own.onnx"\n')
    pack = read_pack(tmp_path / "top", [])
    assert (pack.confirm_below, pack.landmark_looks) == (0.85, 2)
    manifest.write_text(manifest.read_text() + "[detection]\nlandmark_looks = 3\n")
    pack = read_pack(tmp_path / "top", [])
    assert (pack.confirm_below, pack.landmark_looks) == (0.85, 3)
    base.write_text('base = "other"\n' + base.read_text())
    assert "has a base itself" in message_of(lambda: read_pack(tmp_path / "top", []))
    manifest.write_text('name = "top"\nbase = "../base"\n[tasks.recognition]\nfile = "own.onnx"\n')
    assert "base: String should match pattern" in message_of(lambda: read_pack(tmp_path / "top", []))


def test_a_bare_name_is_not_looked_for_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain(tmp_path / "here" / "standard")
    with_manifest(tmp_path / "models" / "compact")
    monkeypatch.chdir(tmp_path / "here")
    assert find_pack("auto", [tmp_path / "models"]).folder == tmp_path / "models" / "compact"
    assert find_pack("./standard", [tmp_path / "models"]).folder == Path("standard")
    with pytest.raises(PackError, match="no model pack 'standard'"):
        find_pack("standard", [tmp_path / "models"])


def described(folder: Path) -> Path:
    """A pack whose weights have not been fetched."""
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(
        f'name = "{folder.name}"\nbase = "compact"\n[source]\npackage = "thing"\nversion = "2"\narchive = "thing.whl"\n'
        'sha256 = "ab"\n[tasks.recognition]\nfile = "rec.onnx"\nsha256 = "cd"\nsource = "a/b"\nsource_sha256 = "ef"\n'
    )
    return folder


def test_auto_is_the_best_pack_installed(tmp_path: Path) -> None:
    with_manifest(tmp_path / "compact")
    described(tmp_path / "standard")
    (tmp_path / "standard" / "missing.txt").write_text("the index does not have it\n")
    pack = find_pack("auto", [tmp_path])
    assert pack.folder == tmp_path / "compact"
    assert pack.notice.startswith(
        "the pack 'standard' is not installed (the index does not have it), so 'compact' is in use"
    )
    assert "`facematch models add standard`" in message_of(lambda: find_pack("standard", [tmp_path]))
    model(tmp_path / "standard" / "rec.onnx", 1, (1, 3, 112, 112))
    pack = find_pack("auto", [tmp_path])
    assert (pack.folder, pack.notice) == (tmp_path / "standard", "")
    # One that is installed elsewhere counts as well.
    (tmp_path / "standard" / "rec.onnx").rename(tmp_path / "kept.onnx")
    with_manifest(tmp_path / "later" / "standard")
    assert find_pack("auto", [tmp_path, tmp_path / "later"]).folder == tmp_path / "later" / "standard"


def test_a_damaged_preferred_pack_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    with_manifest(tmp_path / "compact")
    described(tmp_path / "standard")
    (tmp_path / "standard" / "rec.onnx").write_bytes(b"")
    assert "rec.onnx: the file is empty" in message_of(lambda: find_pack("auto", [tmp_path]))


def test_a_pack_states_how_its_detector_is_used(tmp_path: Path) -> None:
    folder = with_manifest(tmp_path / "x")
    manifest = folder / "pack.toml"
    manifest.write_text(manifest.read_text() + "\n[detection]\nconfirm_below = 0.85\nlandmark_looks = 2\n")
    assert (read_pack(folder).confirm_below, read_pack(folder).landmark_looks) == (0.85, 2)
    manifest.write_text(manifest.read_text().replace("0.85", "1.85"))
    assert "detection.confirm_below" in message_of(lambda: read_pack(folder))


def test_a_manifest_with_an_unknown_task(tmp_path: Path) -> None:
    folder = with_manifest(tmp_path / "x", **{"[tasks.detection]": "[tasks.other]"})
    assert "unknown tasks: other" in message_of(lambda: read_pack(folder))


def test_a_manifest_of_version_0_1_is_read(tmp_path: Path) -> None:
    """It has `roles`, with other names for two of them."""
    folder = with_manifest(tmp_path / "x")
    manifest = folder / "pack.toml"
    more = '\n[tasks.confirmation]\nfile = "det_10g.onnx"\n[tasks.copy]\nfile = "det_10g.onnx"\n'
    manifest.write_text((manifest.read_text() + more).replace("[tasks.", "[roles."))
    assert set(read_pack(folder).files) == {"detection", "recognition", "face_filter", "photocopy"}


def test_plain_folder_without_a_recogniser(tmp_path: Path) -> None:
    (plain(tmp_path / "x") / "w600k_r50.onnx").unlink()
    assert "no file for the task 'recognition'" in message_of(lambda: read_pack(tmp_path / "x"))


def test_missing_file(tmp_path: Path) -> None:
    folder = with_manifest(tmp_path / "x")
    (folder / "det_10g.onnx").unlink()
    message = message_of(lambda: read_pack(folder))
    assert "det_10g.onnx" in message
    assert "copy the file again" in message


@pytest.mark.parametrize("make", [plain, with_manifest])
def test_git_lfs_pointer(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    folder = make(tmp_path / "x")
    (folder / "det_10g.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    assert "git lfs pull" in message_of(lambda: read_pack(folder))


@pytest.mark.parametrize("make", [plain, with_manifest])
def test_empty_file(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    folder = make(tmp_path / "x")
    (folder / "det_10g.onnx").write_bytes(b"")
    assert "is empty" in message_of(lambda: read_pack(folder))


def test_plain_folder_with_something_that_is_no_model(tmp_path: Path) -> None:
    folder = plain(tmp_path / "x")
    (folder / "det_10g.onnx").write_bytes(b"<html>404</html>" * 10)
    assert "det_10g.onnx: damaged or not an ONNX model" in message_of(lambda: read_pack(folder))


def test_checksum(tmp_path: Path) -> None:
    folder = with_manifest(tmp_path / "x")
    pack = read_pack(folder)
    model(folder / "w600k_r50.onnx", 1, ("n", 3, 128, 128))
    message = message_of(lambda: verify_pack(pack))
    assert "w600k_r50.onnx: damaged (sha256 differs" in message
    assert message == message_of(lambda: load_pack(pack))


def test_sha256_of(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc" * 100_000)
    assert sha256_of(path) == hashlib.sha256(b"abc" * 100_000).hexdigest()


# --- finding --------------------------------------------------------------------------------------


def test_search_order(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    plain(first / "mine"), plain(second / "mine"), plain(second / "other")
    folders = [first, second]
    assert find_pack("mine", folders).folder == first / "mine"
    assert find_pack("other", folders).folder == second / "other"
    assert find_pack(str(second / "mine"), folders).folder == second / "mine"
    assert [pack.folder for pack in scan_packs(folders) if isinstance(pack, ModelPack)] == [
        first / "mine",
        second / "mine",
        second / "other",
    ]


def test_search_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = search_folders({"FACEMATCH_MODELS": "/a:/b"})
    assert [str(folder) for folder in folders[:2]] == ["/a", "/b"]
    assert folders[-1] == Path.home() / ".insightface" / "models"
    monkeypatch.setenv("FACEMATCH_MODELS", "/c")
    assert search_folders()[0] == Path("/c")


def test_users_without_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def no_home(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", no_home)
    assert search_folders({"FACEMATCH_MODELS": str(tmp_path)})[0] == tmp_path
    assert find_pack("mine", [plain(tmp_path / "mine")]).name == "mine"


def test_a_named_folder_may_be_the_pack_itself(tmp_path: Path) -> None:
    assert find_pack("mine", [plain(tmp_path / "mine")]).name == "mine"


def test_no_such_pack(tmp_path: Path) -> None:
    message = message_of(lambda: find_pack("absent", [tmp_path]))
    assert "'absent'" in message
    assert str(tmp_path) in message


def test_scan_tells_of_packs_that_cannot_be_used(tmp_path: Path) -> None:
    plain(tmp_path / "good")
    (plain(tmp_path / "bad") / "det_10g.onnx").unlink()
    (tmp_path / "no pack").mkdir()
    bad, good = scan_packs([tmp_path, tmp_path / "missing"])
    assert isinstance(bad, PackError)
    assert isinstance(good, ModelPack)
    assert [pack for pack in scan_packs([tmp_path]) if isinstance(pack, ModelPack)] == [good]


# --- opening --------------------------------------------------------------------------------------


def copied(pack_path: Path, target: Path) -> Path:
    shutil.copytree(pack_path, target)
    return target


def forget_checksums(folder: Path) -> None:
    manifest = folder / "pack.toml"
    if manifest.is_file():
        lines = [line for line in manifest.read_text("utf-8").splitlines() if not line.startswith("sha256")]
        manifest.write_text("\n".join(lines), "utf-8")


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


def without_networks(folder: Path) -> Path:
    """The shipped detector and recogniser as a plain insightface folder."""
    folder.mkdir()
    for role in ("detection", "recognition"):
        shutil.copy(find_pack().files[role].path, folder)
    return folder


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
