"""Unpack a ZIP archive that somebody else made, without trusting what it says."""

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
    """What an archive may hold. The largest pack of insightface, antelopev2, has 5 files of 408 MB in all.

    Attributes:
        files: most files.
        size: most bytes, unpacked.
        ratio: most bytes unpacked for a byte of the archive; weights hardly shrink at all.
    """

    files: int = 200
    size: int = 2 << 30
    ratio: int = 100


def unpack(archive: Path, folder: Path, limits: Limits | None = None) -> None:
    """Unpack the regular files of an archive.

    Args:
        archive: a ZIP file.
        folder: an existing empty folder; whoever made it removes it if this fails.
        limits: what the archive may hold.

    Raises:
        PackError: it is damaged, encrypted, over a limit, or has a name or a kind of entry that no pack needs.
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
            f"{archive}: damaged or no ZIP archive ({type(error).__name__}); copy it there again from where it came"
        ) from None


def _path_of(archive: Path, entry: zipfile.ZipInfo) -> PurePosixPath | None:
    """Where an entry belongs, None for what Macs and editors add.

    Raises:
        PackError: it leads out of the folder, or is no file or folder.
    """
    name = entry.orig_filename.replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in name or not name.isprintable() or not path.parts:
        raise PackError(f"{archive}: refused: {_shown(name)} is no name of a file inside a pack's folder")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise PackError(f"{archive}: refused: {_shown(name)} is a link or device; a pack holds files only")
    if entry.flag_bits & 1:
        raise PackError(f"{archive}: {_shown(name)} is encrypted; unpack the archive yourself and add the folder")
    added_by_a_mac = path.parts[0] == "__MACOSX" or any(part.startswith(".") for part in path.parts)
    return None if added_by_a_mac else path


def _require_limits(archive: Path, entries: list[zipfile.ZipInfo], folder: Path, limits: Limits) -> None:
    size = sum(entry.file_size for entry in entries)
    if len(entries) > limits.files:
        raise PackError(f"{archive}: refused: {len(entries)} files; a pack has {limits.files} at most")
    if size > limits.size:
        raise PackError(
            f"{archive}: refused: {_megabytes(size)} unpacked; a pack has {_megabytes(limits.size)} at most"
        )
    if size > limits.ratio * archive.stat().st_size:
        raise PackError(f"{archive}: refused: unpacks to more than {limits.ratio} times its size; weights do not")
    free = shutil.disk_usage(folder).free
    if size > free:
        raise PackError(
            f"{archive}: needs {_megabytes(size)} on the disk of {folder.parent}, where {_megabytes(free)} are free"
        )


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, archive: Path, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(entry) as source, path.open("xb") as target:
            # zipfile reads no more than the size that the entry states, and compares its checksum at the end.
            shutil.copyfileobj(source, target, _CHUNK)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise PackError(f"{archive}: refused: {_shown(entry.orig_filename)} is in it twice") from None


def _shown(name: str) -> str:
    """A name from a foreign archive, short and on one line."""
    printable = "".join(character if character.isprintable() else "?" for character in name)
    return repr(printable if len(printable) <= 80 else printable[:77] + "...")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
