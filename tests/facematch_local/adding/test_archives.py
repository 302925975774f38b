"""Untrusted ZIP archives: files are written only inside the folder, and only within the limits."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path

import pytest

from facematch_local.adding.archives import Limits, unpack
from facematch_local.errors import PackError


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def refusal(archive: Path, folder: Path, limits: Limits | None = None) -> str:
    folder.mkdir(exist_ok=True)
    with pytest.raises(PackError) as caught:
        unpack(archive, folder, limits)
    assert str(caught.value).startswith(f"{archive}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_are_unpacked_without_those_of_macos(tmp_path: Path) -> None:
    files = {"a/det.onnx": b"1", "a/b/rec.onnx": b"2", "__MACOSX/a/._det.onnx": b"3", "a/.DS_Store": b"4"}
    out = tmp_path / "out"
    out.mkdir()
    unpack(zipped(tmp_path / "x.zip", **files), out)
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()) == ["a/b/rec.onnx", "a/det.onnx"]


@pytest.mark.parametrize(
    "name", ["/etc/x", "../x", "a/../../x", "..\\x", "C:\\x", "c:/x", "a\x1b[31m", "a\nb", "../../../../../tmp/x"]
)
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    message = refusal(zipped(tmp_path / "x.zip", **{"good.onnx": b"1", name: b"2"}), tmp_path / "deep")
    assert "is not the name of a file inside a pack's folder" in message
    assert message.isprintable()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["deep", "x.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices(tmp_path: Path, kind: int) -> None:
    entry = zipfile.ZipInfo("rec.onnx")
    entry.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert "is a link or device" in refusal(tmp_path / "x.zip", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_limits(tmp_path: Path) -> None:
    many = zipped(tmp_path / "many.zip", **{f"{at}.onnx": b"" for at in range(201)})
    assert "201 files; a pack has at most 200" in refusal(many, tmp_path / "out")
    bomb = zipped(tmp_path / "bomb.zip", **{"rec.onnx": bytes(20_000_000)})
    assert bomb.stat().st_size < 100_000
    assert "more than 100 times its size" in refusal(bomb, tmp_path / "out")
    large = zipped(tmp_path / "large.zip", **{"rec.onnx": bytes(range(256)) * 8})
    assert "a pack has at most 0 MB" in refusal(large, tmp_path / "out", Limits(size=2000))
    assert list((tmp_path / "out").iterdir()) == []


def test_an_entry_with_a_false_size(tmp_path: Path) -> None:
    """The limits rely on the stated sizes, so a false size must be detected."""
    path = zipped(tmp_path / "x.zip", **{"rec.onnx": bytes(100_000)})
    content = path.read_bytes().replace(struct.pack("<L", 100_000), struct.pack("<L", 10))
    path.write_bytes(content)
    assert "damaged or not a ZIP archive (BadZipFile)" in refusal(path, tmp_path / "out", Limits(ratio=10**6))
    assert sum(p.stat().st_size for p in (tmp_path / "out").iterdir()) <= 10


def test_a_name_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("rec.onnx", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("rec.onnx", b"2")
    assert "'rec.onnx' occurs twice" in refusal(tmp_path / "x.zip", tmp_path / "out")
    nested = zipped(tmp_path / "y.zip", **{"a": b"1", "a/rec.onnx": b"2"})
    assert "'a/rec.onnx' occurs twice" in refusal(nested, tmp_path / "out2")


def test_encrypted(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", **{"rec.onnx": b"1"})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # local header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # central directory
    path.write_bytes(content)
    assert "is encrypted" in refusal(path, tmp_path / "out")


@pytest.mark.parametrize("content", [b"<html>404</html>", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)[:10]])
def test_data_that_is_not_an_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    assert "damaged or not a ZIP archive" in refusal(tmp_path / "x.zip", tmp_path / "out")


def test_truncated_and_altered_archives(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "x.zip", **{"rec.onnx": bytes(range(256)) * 100}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert "copy it again" in refusal(tmp_path / "cut.zip", tmp_path / "out")
    changed = bytearray(whole)
    changed[60] ^= 0xFF
    (tmp_path / "changed.zip").write_bytes(changed)
    assert "copy it again" in refusal(tmp_path / "changed.zip", tmp_path / "out")
