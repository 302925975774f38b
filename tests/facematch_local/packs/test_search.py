"""Where packs are looked for, which one is taken, and what a pack takes from its base."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.errors import PackError
from facematch_local.packs import (
    ModelPack,
    find_pack,
    read_pack,
    scan_packs,
    search_folders,
)
from tests.facematch_local.packs.made_packs import (
    described,
    message_of,
    model,
    plain,
    with_manifest,
)


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
