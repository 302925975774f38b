"""A bundle's metadata (licences, checksums, bill of materials), and install.sh, which checks all of it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facematch_local.packs import ModelFile, ModelPack, Source, find_pack
from facematch_server.bundling import BundleError, build
from facematch_server.bundling.build import _packs_in
from facematch_server.bundling.checksums import checksums
from facematch_server.bundling.sbom import sbom
from facematch_server.bundling.wheels import Wheel, read_wheel, requirements

ROOT = Path(__file__).resolve().parents[3]
INSTALL = ROOT / "server" / "deploy" / "install.sh"


@pytest.fixture
def make_wheel(tmp_path: Path) -> Callable[..., Path]:
    """`make_wheel("thing", "License: MIT")`: a wheel with this metadata and one licence text."""

    def make(name: str, *lines: str, text: str = "licenses/LICENSE") -> Path:
        path = tmp_path / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            metadata = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines, "", "Long text"])
            archive.writestr(f"{name}-1.0.dist-info/METADATA", metadata)
            archive.writestr(f"{name}-1.0.dist-info/{text}", "the text")
            archive.writestr(f"{name}/LICENSE.py", "not a licence text of the distribution")
        return path

    return make


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (["License-Expression: MIT AND BSD-3-Clause", "License: other"], "MIT AND BSD-3-Clause"),
        (["Classifier: License :: OSI Approved :: MIT License", "License: text"], "MIT License"),
        (["License: BSD", "Classifier: Typing :: Typed"], "BSD"),
        ([], ""),
    ],
)
def test_a_wheel_states_its_licence(make_wheel: Callable[..., Path], lines: list[str], licence: str) -> None:
    path = make_wheel("thing", *lines)
    wheel = read_wheel(path)
    assert (wheel.name, wheel.version, wheel.licence) == ("thing", "1.0", licence)
    assert wheel.licence_texts == {"licenses/LICENSE": b"the text"}
    assert wheel.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_older_wheels_have_the_text_beside_the_metadata(make_wheel: Callable[..., Path]) -> None:
    assert set(read_wheel(make_wheel("thing", text="COPYING.txt")).licence_texts) == {"COPYING.txt"}


def test_what_is_no_wheel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(b"PK no")
    with pytest.raises(ValueError, match=r"x\.whl is not a wheel"):
        read_wheel(tmp_path / "x.whl")


def test_requirements_allow_exactly_these_files(make_wheel: Callable[..., Path]) -> None:
    wheel = read_wheel(make_wheel("thing"))
    assert requirements([wheel]) == f"thing==1.0 --hash=sha256:{wheel.sha256}\n"


def test_the_bill_of_materials(make_wheel: Callable[..., Path]) -> None:
    wheels = [
        read_wheel(make_wheel("Some_Thing", "License-Expression: MIT")),
        read_wheel(make_wheel("other", "License: see the file")),
    ]
    pack = find_pack("compact", folders=[ROOT / "models"])
    text = sbom("facematch-local", "2.0", wheels, [pack])
    assert text == sbom("facematch-local", "2.0", wheels, [pack])
    document: dict[str, Any] = json.loads(text)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    first, second, model = document["components"]
    assert first["purl"] == "pkg:pypi/some-thing@1.0"
    assert first["hashes"] == [{"alg": "SHA-256", "content": wheels[0].sha256}]
    assert first["licenses"] == [{"expression": "MIT"}]
    assert second["licenses"] == [{"license": {"name": "see the file"}}]
    assert (model["type"], model["name"]) == ("machine-learning-model", "compact")
    assert {part["name"] for part in model["components"]} == {file.path.name for file in pack.files.values()}
    assert document["serialNumber"] != json.loads(sbom("facematch-local", "2.1", wheels, [pack]))["serialNumber"]


def test_the_default_source_is_this_checkout() -> None:
    from facematch_server.cli import bundle

    assert (bundle._CHECKOUT / "pyproject.toml").is_file()
    assert (bundle._CHECKOUT / "server" / "deploy" / "install.sh").is_file()


def test_a_bundle_is_made_of_a_checkout(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="not a checkout"):
        build(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """A bundle with no wheels in it: enough for everything before pip."""
    folder = tmp_path / "bundle"
    (folder / "wheels").mkdir(parents=True)
    (folder / "install.sh").write_bytes(INSTALL.read_bytes())
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    (folder / "BUNDLE").write_text(f"version=1\npython={version}\nplatform={sysconfig.get_platform()}\n")
    (folder / "wheels" / "a.whl").write_text("a")
    (folder / "SHA256SUMS").write_text(checksums(folder))
    return folder


def script(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", str(folder / "install.sh"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def test_verify(unpacked: Path) -> None:
    done = script(unpacked, "verify")
    assert (done.returncode, done.stdout) == (0, "verified: 3 files agree with SHA256SUMS\n")


@pytest.mark.parametrize("tamper", ["change", "add", "remove"])
def test_verify_refuses_what_is_not_as_it_was(unpacked: Path, tamper: str) -> None:
    wheel = unpacked / "wheels" / "a.whl"
    if tamper == "remove":
        wheel.unlink()
    else:
        (wheel if tamper == "change" else wheel.with_name("b.whl")).write_text("b")
    done = script(unpacked, "verify")
    assert done.returncode == 1
    assert "nothing was installed" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be refused for being root")
def test_root_is_refused_and_nothing_made(unpacked: Path, tmp_path: Path) -> None:
    done = script(unpacked, "install", "--prefix", tmp_path / "site")
    assert done.returncode == 1
    assert "not as root" in done.stderr
    assert not (tmp_path / "site").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="install.sh refuses root")
def test_another_python_is_refused(unpacked: Path, tmp_path: Path) -> None:
    (unpacked / "BUNDLE").write_text("version=1\npython=2.7\nplatform=other\n")
    (unpacked / "SHA256SUMS").write_text(checksums(unpacked))
    done = script(unpacked, "install", "--prefix", tmp_path / "site", "--python", sys.executable)
    assert done.returncode == 1
    assert "this bundle is for Python 2.7 on other" in done.stderr
    assert not (tmp_path / "site" / "current").exists()


def test_the_packs_of_a_bundle_are_those_in_its_wheel(tmp_path: Path) -> None:
    """A build without the weights of `standard` makes a wheel that only describes it."""
    path = tmp_path / "facematch_local-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for pack in ("compact", "standard"):
            for file in sorted((ROOT / "models" / pack).rglob("*")):
                if file.is_file() and not (pack == "standard" and file.suffix == ".onnx"):
                    archive.write(file, f"facematch_local/models/{file.relative_to(ROOT / 'models')}")
    packs = _packs_in(Wheel(path, "facematch-local", "1.0", "", "", {}), tmp_path / "scratch")
    assert [pack.name for pack in packs] == ["compact"]


def test_the_bill_of_materials_says_where_fetched_weights_come_from(tmp_path: Path) -> None:
    (tmp_path / "det.onnx").write_bytes(b"detector")
    (tmp_path / "rec.onnx").write_bytes(b"recogniser")
    files = {
        "detection": ModelFile(tmp_path / "det.onnx"),
        "recognition": ModelFile(tmp_path / "rec.onnx", source="a/b.onnx", source_sha256="cd"),
    }
    pack = ModelPack("mine", "1", tmp_path, files, source=Source("thing", "2", "thing-2.whl", "ab"))
    ours, fetched = json.loads(sbom("x", "1", [], [pack]))["components"][0]["components"]
    assert "properties" not in ours
    assert {entry["name"]: entry["value"] for entry in fetched["properties"]} == {
        "facematch:source-archive": "thing-2.whl",
        "facematch:source-archive-sha256": "ab",
        "facematch:source-file": "a/b.onnx",
        "facematch:source-file-sha256": "cd",
    }
