"""Safe unpacking of an untrusted ZIP archive."""

from __future__ import annotations

import lzma
import shutil
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from facematch_local.errors import PackError

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of an archive. The largest pack of insightface, antelopev2, has 5 files with a total of 408 MB.

    Attributes:
        files: largest number of files.
        size: largest total size in bytes, unpacked.
        ratio: largest ratio of unpacked to packed size; weights hardly compress.
    """

    files: int = 200
    size: int = 2 << 30
    ratio: int = 100


def unpack(archive: Path, folder: Path, limits: Limits | None = None) -> None:
    """Unpack the regular files of an archive.

    Args:
        archive: a ZIP file.
        folder: an existing empty folder; the caller removes it after a failure.
        limits: limits of the archive; default `Limits()`.

    Raises:
        PackError: the archive is damaged, encrypted or over a limit, or has an unsafe name or type of entry.
        OSError: `folder` cannot be written.
    """
    limits = limits or Limits()
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [
                (entry, path)
                for entry in opened.infolist()
                if (path := _path_of(archive, entry)) is not None and not entry.is_dir()
            ]
            _require_limits(archive, [entry for entry, _ in entries], folder, limits)
            for entry, path in entries:
                _write(opened, entry, archive, folder / path)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, ValueError) as error:
        raise PackError(
            f"{archive}: damaged or not a ZIP archive ({type(error).__name__}); copy it again from its source"
        ) from None


def _path_of(archive: Path, entry: zipfile.ZipInfo) -> PurePosixPath | None:
    """Relative path of an entry; None for the hidden files that macOS and editors add.

    Raises:
        PackError: the path leads out of the folder, or the entry is not a file or folder.
    """
    name = entry.orig_filename.replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in name or not name.isprintable() or not path.parts:
        raise PackError(f"{archive}: refused: {_shown(name)} is not the name of a file inside a pack's folder")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise PackError(f"{archive}: refused: {_shown(name)} is a link or device; a pack contains only files")
    if entry.flag_bits & 1:
        raise PackError(f"{archive}: {_shown(name)} is encrypted; unpack the archive yourself and add the folder")
    added_by_a_mac = path.parts[0] == "__MACOSX" or any(part.startswith(".") for part in path.parts)
    return None if added_by_a_mac else path


def _require_limits(archive: Path, entries: list[zipfile.ZipInfo], folder: Path, limits: Limits) -> None:
    size = sum(entry.file_size for entry in entries)
    if len(entries) > limits.files:
        raise PackError(f"{archive}: refused: {len(entries)} files; a pack has at most {limits.files}")
    if size > limits.size:
        raise PackError(
            f"{archive}: refused: {_megabytes(size)} unpacked; a pack has at most {_megabytes(limits.size)}"
        )
    if size > limits.ratio * archive.stat().st_size:
        raise PackError(f"{archive}: refused: unpacks to more than {limits.ratio} times its size; a pack does not")
    free = shutil.disk_usage(folder).free
    if size > free:
        raise PackError(
            f"{archive}: needs {_megabytes(size)} on the disk of {folder.parent}; {_megabytes(free)} are free"
        )


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, archive: Path, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(entry) as source, path.open("xb") as target:
            # zipfile reads at most the size that the entry states, and verifies its checksum at the end.
            shutil.copyfileobj(source, target, _CHUNK)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise PackError(f"{archive}: refused: {_shown(entry.orig_filename)} occurs twice") from None


def _shown(name: str) -> str:
    """A name from an untrusted archive for a message: printable, at most 80 characters, on one line."""
    printable = "".join(character if character.isprintable() else "?" for character in name)
    return repr(printable if len(printable) <= 80 else printable[:77] + "...")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
