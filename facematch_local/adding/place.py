"""Where a pack goes, and getting it there in one step."""

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
    """A pack that was put in place.

    Attributes:
        pack: as it lies there.
        calibration: the curve it runs on.
        trial: how it did on the photo it was tried on.
        setting: the value of `FACEMATCH_PACK` that means it: `auto` where that does, else its name, or its folder where
            no search finds it.
    """

    pack: ModelPack
    calibration: Calibration
    trial: Trial
    setting: str


def default_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The folder packs are added to: the first one of `FACEMATCH_MODELS`, else `~/.insightface/models`.

    Raises:
        PackError: the user has no home, or the folder is a pack itself.
    """
    shipped = shipped_folders()
    for folder in search_folders(environ):
        if folder not in shipped:
            if looks_like_pack(folder):
                raise PackError(f"{folder}, the first folder of FACEMATCH_MODELS, is a pack itself; give --to FOLDER")
            return folder
    raise PackError("this user has no home folder for packs; give --to FOLDER, or set FACEMATCH_MODELS")


def free_place(parent: Path, name: str, *, replace: bool) -> Path:
    """The folder for a pack of an operator.

    Raises:
        PackError: the name is none or belongs to a shipped pack, or the place is taken and `replace` does not say to
            replace the pack there.
    """
    target = parent / name
    if not _NAME.fullmatch(name):
        raise PackError(f"{name!r} is no name for a pack (letters, digits, '.', '-', '_'); give another with --name")
    if name in (DEFAULT_PACK, *PREFERRED):
        raise PackError(f"{name!r} is the name of a shipped pack; give another with --name")
    if any(_same(parent, folder) for folder in shipped_folders()):
        raise PackError(f"{parent} holds the shipped packs, which the next installation replaces; give another --to")
    if not os.path.lexists(target):
        return target
    if not replace:
        raise PackError(f"{target} is there already; give another name with --name, or replace it with --replace")
    if not (target.is_dir() and looks_like_pack(target)):
        raise PackError(f"{target} is no model pack and is not replaced; give another name with --name")
    return target


@contextmanager
def staging(target: Path, shown: str) -> Iterator[Path]:
    """An empty folder beside a pack's place; what is left in it in the end goes with it.

    Args:
        target: where the pack will be.
        shown: what the operator gave; errors name it in place of the folder, which they could not look into.

    Raises:
        PackError: what the body raises on purpose, in these words; or the place cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Hidden, so that a search for packs passes it over.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
            try:
                yield Path(scratch)
            except FacematchError as error:
                # The folder is gone when the operator reads this.
                raise PackError(f"{error}".replace(f"{scratch}{os.sep}", f"{shown}: ")) from None
    except OSError as error:
        named = error.filename if isinstance(error.filename, str) else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)  # whose `filename` is what was being copied
        inside = full or not named or Path(named).is_relative_to(target.parent) or target.parent.is_relative_to(named)
        where = f"{target.parent}: cannot be written" if inside else f"{named}: cannot be read"
        raise PackError(f"{where} ({error.strerror or type(error).__name__}); nothing was added") from None


def move_in(folder: Path, target: Path, folders: Sequence[Path] | None, *, replace: bool) -> Added:
    """Open a finished folder, try it out and move it to its place.

    Args:
        folder: the finished pack, on the same disk as `target`.
        target: its place.
        folders: where its base is looked for; default `search_folders()`.
        replace: whether a pack that is there goes.

    Raises:
        PackError: the pack cannot be used, or was put there by somebody else meanwhile.
        OSError: it cannot be moved.
    """
    loaded = load_pack(read_pack(folder, folders))
    trial = try_out(loaded)
    if replace:
        replace_folder(folder, target)
    else:
        folder.rename(target)  # fails where there is something by now
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
