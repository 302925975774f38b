"""Packs as folders: manifests, plain folders, and every way a pack can be incomplete."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from facematch_local.packs import (
    load_pack,
    read_pack,
    sha256_of,
    verify_pack,
)
from tests.facematch_local.packs.made_packs import (
    message_of,
    model,
    plain,
    with_manifest,
)


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


def test_a_manifest_with_an_unknown_key(tmp_path: Path) -> None:
    folder = with_manifest(tmp_path / "x", **{'version = "1.2"': 'versoin = "1.2"'})
    assert "versoin: Extra inputs are not permitted" in message_of(lambda: read_pack(folder))


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
