"""Builds a bundle: a folder with all parts and their checksums, and one archive of it."""

from __future__ import annotations

import shutil
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facematch_local.packs import ModelPack, NotInstalledError, read_pack, scan_packs, verify_pack
from facematch_server.bundling.checksums import FILE, checksums, sha256
from facematch_server.bundling.collect import BundleError, Tell, run_pip
from facematch_server.bundling.sbom import sbom
from facematch_server.bundling.wheels import Wheel, read_wheel, requirements

_NAME: Final = "facematch-local"
_DEPLOY: Final = (
    "facematch.service",
    "nginx.conf",
    "monitoring/alerts.yml",
    "monitoring/dashboard.json",
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A finished bundle.

    Attributes:
        archive: the tar file.
        version: version of facematch-local.
        sha256: checksum of the archive.
        without_text: wheels without a licence text; `sbom.cdx.json` has the licence that they state.
        packs: names of its packs.
    """

    archive: Path
    version: str
    sha256: str
    without_text: tuple[str, ...]
    packs: tuple[str, ...]


def build(
    source: Path,
    out: Path,
    *,
    packs: Sequence[Path] = (),
    extras: Sequence[str] = (),
    tell: Tell = lambda _: None,
) -> Bundle:
    """Build the bundle for this platform and this Python. pip's configuration decides where wheels come from.

    Args:
        source: a checkout of facematch-local.
        out: folder for the archive; created if missing.
        packs: folders of packs beside the shipped ones.
        extras: optional dependencies of facematch-local, such as `postgres`.
        tell: takes each step in words.

    Raises:
        BundleError: `source` is not a checkout, or pip fails.
        PackError: a pack is damaged.
    """
    if not (source / "server" / "deploy" / "install.sh").is_file():
        raise BundleError(f"{source} is not a checkout of {_NAME}; name one with --source")
    added = [read_pack(folder) for folder in packs]
    for pack in added:
        tell(f"verifying packs: {pack.name}")
        verify_pack(pack)
    out.mkdir(parents=True, exist_ok=True)
    # Beside the result: a bundle may be larger than /tmp.
    with tempfile.TemporaryDirectory(dir=out, prefix=".bundle-") as scratch:
        wheel_folder = Path(scratch) / "wheels"
        tell("collecting wheels: asking the package index")
        _collect(source, wheel_folder, extras, tell)
        tell("reading the licences of the wheels")
        wheels = [read_wheel(path) for path in sorted(wheel_folder.glob("*.whl"))]
        own = next(wheel for wheel in wheels if wheel.name == _NAME)
        version, own_packs = own.version, _packs_in(own, Path(scratch))
        platform = f"{sysconfig.get_platform()}-py{sys.version_info.major}{sys.version_info.minor}"
        root = Path(scratch) / f"{_NAME}-{version}-{platform}"
        root.mkdir()
        wheel_folder.rename(root / "wheels")
        _fill(root, source, version, wheels, own_packs, added)
        tell(f"computing checksums: {_megabytes(root):,.0f} MB")
        (root / FILE).write_text(checksums(root), "utf-8")
        archive = out / f"{root.name}.tar"
        tell(f"writing the archive: {archive.name}")
        _pack_up(root, archive)
    digest = sha256(archive)
    archive.with_name(archive.name + ".sha256").write_text(f"{digest}  {archive.name}\n", "utf-8")
    bare = tuple(wheel.name for wheel in wheels if not wheel.licence_texts)
    return Bundle(archive, version, digest, bare, tuple(pack.name for pack in (*own_packs, *added)))


def _collect(source: Path, folder: Path, extras: Sequence[str], tell: Tell) -> None:
    own = f"{source}[{','.join(extras)}]" if extras else str(source)
    # Include pip: the target's Python may lack it (Debian).
    command = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--progress-bar", "off"]
    command += ["--prefer-binary", "--wheel-dir", str(folder)]
    command += ["-c", str(source / ".ci" / "constraints.txt"), own, "pip"]
    run_pip(command, tell)


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _packs_in(wheel: Wheel, scratch: Path) -> list[ModelPack]:
    """The packs of the facematch-local wheel, unpacked: its build may have ended without the weights of `standard`."""
    with zipfile.ZipFile(wheel.path) as archive:
        names = [name for name in archive.namelist() if name.startswith("facematch_local/models/")]
        archive.extractall(scratch / "own", names)  # noqa: S202 - pip has just built it here
    folder = scratch / "own" / "facematch_local" / "models"
    packs = []
    for found in scan_packs([folder]):
        if isinstance(found, ModelPack):
            verify_pack(found)
            packs.append(found)
        elif not isinstance(found, NotInstalledError):
            raise found
    return packs


def _fill(
    root: Path, source: Path, version: str, wheels: list[Wheel], own: list[ModelPack], added: list[ModelPack]
) -> None:
    deploy = source / "server" / "deploy"
    shutil.copy2(deploy / "install.sh", root)
    for name in _DEPLOY:
        (root / "deploy" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(deploy / name, root / "deploy" / name)
    shutil.copytree(source / "docs", root / "docs", ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy2(source / "LICENSE", root)
    (root / "packs").mkdir()
    for pack in added:
        shutil.copytree(pack.folder, root / "packs" / pack.folder.name)
    for wheel in wheels:
        for name, text in wheel.licence_texts.items():
            file = root / "licences" / f"{wheel.name}-{wheel.version}" / name.removeprefix("licenses/")
            # A wheel is not trusted: its file names must not lead out of the folder.
            if not file.resolve().is_relative_to(root.resolve()):
                raise BundleError(f"{wheel.path.name} names a licence file outside its own folder")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text)
    moved = [Wheel(root / "wheels" / w.path.name, w.name, w.version, w.sha256, w.licence, {}) for w in wheels]
    (root / "requirements.txt").write_text(requirements(moved), "utf-8")
    (root / "sbom.cdx.json").write_text(sbom(_NAME, version, moved, (*own, *added)), "utf-8")
    (root / "BUNDLE").write_text(
        f"version={version}\npython={sys.version_info.major}.{sys.version_info.minor}\n"
        f"platform={sysconfig.get_platform()}\n",
        "utf-8",
    )


def _pack_up(root: Path, archive: Path) -> None:
    """The folder as a tar file without the builder's names and times; uncompressed, because wheels are compressed."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = 0
        entry.mode = 0o755 if entry.isdir() or entry.name.endswith(".sh") else 0o644
        return entry

    partial = archive.with_name(archive.name + ".part")
    with tarfile.open(partial, "w") as tar:
        tar.add(root, root.name, filter=plain)  # sorted by name within folders
    partial.replace(archive)
