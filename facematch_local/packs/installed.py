"""What an installation has: the packs, which one is in use, what is described but not installed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from facematch_local.errors import PackError
from facematch_local.packs.manifest import ModelPack, NotInstalledError
from facematch_local.packs.search import DEFAULT_PACK, find_pack, scan_packs, search_folders, why_missing


@dataclass(frozen=True, slots=True)
class Missing:
    """A pack that is described here, but whose weights were not fetched.

    Attributes:
        name: of the pack.
        reason: why the build could not fetch them, "" where it does not say.
    """

    name: str
    reason: str = ""

    def __str__(self) -> str:
        because = f" ({self.reason})" if self.reason else ""
        return f"{self.name}: not installed{because}; `facematch models add {self.name}` gets it"


@dataclass(frozen=True, slots=True)
class Overview:
    """The packs of an installation.

    Attributes:
        folders: where was looked.
        packs: those that can be opened, in the order of the search.
        missing: those that are described only.
        broken: why others cannot be used.
        asked: the name of the pack in use, `auto` where none is set.
        in_use: that pack, or why there is none.
    """

    folders: tuple[Path, ...]
    packs: tuple[ModelPack, ...]
    missing: tuple[Missing, ...]
    broken: tuple[PackError, ...]
    asked: str
    in_use: ModelPack | PackError

    def is_in_use(self, pack: ModelPack) -> bool:
        """Whether a pack is the one in use."""
        return isinstance(self.in_use, ModelPack) and self.in_use.folder.resolve() == pack.folder.resolve()


def asked_pack(environ: Mapping[str, str] | None = None) -> str:
    """The pack that `FACEMATCH_PACK` names, else `auto`."""
    return (os.environ if environ is None else environ).get("FACEMATCH_PACK") or DEFAULT_PACK


def overview(folders: Sequence[Path] | None = None, environ: Mapping[str, str] | None = None) -> Overview:
    """Look at all packs of an installation; nothing is opened.

    Args:
        folders: where to look; default `search_folders(environ)`.
        environ: default `os.environ`.
    """
    folders = tuple(search_folders(environ) if folders is None else folders)
    asked = asked_pack(environ)
    try:
        in_use: ModelPack | PackError = find_pack(asked, folders)
    except PackError as error:
        in_use = error
    found = list(scan_packs(folders))
    packs = [each for each in found if isinstance(each, ModelPack)]
    if isinstance(in_use, ModelPack) and all(in_use.folder.resolve() != each.folder.resolve() for each in packs):
        packs.append(in_use)  # named by its path
    described = [each.described for each in found if isinstance(each, NotInstalledError) and each.described]
    missing = dict.fromkeys(name for name in described if all(name != pack.name for pack in packs))
    return Overview(
        folders=folders,
        packs=tuple(packs),
        missing=tuple(Missing(name, why_missing(name, folders)) for name in missing),
        broken=tuple(
            each
            for each in found
            if isinstance(each, PackError) and not (isinstance(each, NotInstalledError) and each.described)
        ),
        asked=asked,
        in_use=in_use,
    )
