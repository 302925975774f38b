"""The destination of a new pack, and moving the pack there in one step."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facematch_local.adding.trial import Trial, try_out
from facematch_local.calibration import Calibration
from facematch_local.errors import FacematchError, PackError
from facematch_local.open_weights.install import replace_folder
from facematch_local.packs import DEFAULT_PACK, PREFERRED, ModelPack, find_pack, load_pack, search_folders
from facematch_local.packs.search import looks_like_pack, read_pack, shipped_folders

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Added:
    """A newly installed pack.

    Attributes:
        pack: description of the installed pack.
        calibration: calibration curve of its recogniser.
        trial: result of the trial on a photo.
        setting: the value of `FACEMATCH_PACK` that selects the pack: `auto` if that selects it, else its name, or its
            folder if the search does not find it.
    """

    pack: ModelPack
    calibration: Calibration
    trial: Trial
    setting: str


def default_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The folder for new packs: the first one of `FACEMATCH_MODELS`, else `~/.insightface/models`.

    Raises:
        PackError: the user has no home folder, or the folder is a pack itself.
    """
    shipped = shipped_folders()
    for folder in search_folders(environ):
        if folder not in shipped:
            if looks_like_pack(folder):
                raise PackError(f"{folder}, the first folder of FACEMATCH_MODELS, is a pack itself; give --to FOLDER")
            return folder
    raise PackError("this user has no home folder for packs; give --to FOLDER, or set FACEMATCH_MODELS")


def free_place(parent: Path, name: str, *, replace: bool) -> Path:
    """The folder for an operator's pack.

    Raises:
        PackError: the name is invalid or belongs to a shipped pack, or the folder exists and `replace` is False.
    """
    target = parent / name
    if not _NAME.fullmatch(name):
        raise PackError(
            f"{name!r} is not a valid name for a pack (letters, digits, '.', '-', '_'); give another with --name"
        )
    if name in (DEFAULT_PACK, *PREFERRED):
        raise PackError(f"{name!r} is the name of a shipped pack; give another with --name")
    if any(_same(parent, folder) for folder in shipped_folders()):
        raise PackError(f"{parent} holds the shipped packs, which the next installation replaces; give another --to")
    if not os.path.lexists(target):
        return target
    if not replace:
        raise PackError(f"{target} already exists; give another name with --name, or replace it with --replace")
    if not (target.is_dir() and looks_like_pack(target)):
        raise PackError(f"{target} is not a model pack and was not replaced; give another name with --name")
    return target


@contextmanager
def staging(target: Path, shown: str) -> Iterator[Path]:
    """An empty temporary folder beside the destination of a pack, removed at the end with its remaining content.

    Args:
        target: the destination of the pack.
        shown: the path that the operator gave; error messages name it instead of the temporary folder.

    Raises:
        PackError: the body raised a `FacematchError` (with the same message), or the destination cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # A hidden folder, which the search for packs skips.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
            try:
                yield Path(scratch)
            except FacematchError as error:
                # The temporary folder no longer exists when the operator reads the message.
                raise PackError(f"{error}".replace(f"{scratch}{os.sep}", f"{shown}: ")) from None
    except OSError as error:
        named = error.filename if isinstance(error.filename, str) else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)  # its `filename` is the file being copied
        inside = full or not named or Path(named).is_relative_to(target.parent) or target.parent.is_relative_to(named)
        where = f"{target.parent}: cannot be written" if inside else f"{named}: cannot be read"
        raise PackError(f"{where} ({error.strerror or type(error).__name__}); nothing was added") from None


def move_in(folder: Path, target: Path, folders: Sequence[Path] | None, *, replace: bool) -> Added:
    """Open a finished pack, try it out and move it to its destination.

    Args:
        folder: the finished pack, on the same disk as `target`.
        target: the destination.
        folders: folders to search for the pack's base; default `search_folders()`.
        replace: whether to replace an existing pack at the destination.

    Raises:
        PackError: the pack is not usable.
        OSError: the pack cannot be moved, for example because another process created the destination meanwhile.
    """
    loaded = load_pack(read_pack(folder, folders))
    trial = try_out(loaded)
    if replace:
        replace_folder(folder, target)
    else:
        folder.rename(target)  # fails if the destination exists by now
    return Added(read_pack(target, folders), loaded.calibration, trial, _setting_for(target, folders))


def _setting_for(target: Path, folders: Sequence[Path] | None) -> str:
    for name in (DEFAULT_PACK, target.name):
        try:
            if _same(find_pack(name, folders).folder, target):
                return name
        except PackError:
            continue
    return str(target.absolute())


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
