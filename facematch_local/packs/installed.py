"""Overview of an installation's packs: those installed, the one in use, and those described but not installed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from facematch_local.errors import PackError
from facematch_local.packs.model_pack import ModelPack, NotInstalledError
from facematch_local.packs.search import DEFAULT_PACK, find_pack, scan_packs, search_folders, why_missing


@dataclass(frozen=True, slots=True)
class Missing:
    """A pack with a manifest but without its weights.

    Attributes:
        name: name of the pack.
        reason: why the build could not fetch the weights; "" if unknown.
    """

    name: str
    reason: str = ""

    def __str__(self) -> str:
        because = f" ({self.reason})" if self.reason else ""
        return f"{self.name}: not installed{because}; install it with `facematch models add {self.name}`"


@dataclass(frozen=True, slots=True)
class Overview:
    """The packs of an installation.

    Attributes:
        folders: the folders searched.
        packs: usable packs, in the order of the search.
        missing: packs with a manifest but without weights.
        broken: one error for each unusable pack.
        asked: name of the pack to use; `auto` if none is set.
        in_use: that pack, or the error that prevents its use.
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
    """Name of the pack to use: `FACEMATCH_PACK`, or `auto` if it is not set."""
    return (os.environ if environ is None else environ).get("FACEMATCH_PACK") or DEFAULT_PACK


def overview(folders: Sequence[Path] | None = None, environ: Mapping[str, str] | None = None) -> Overview:
    """Read the manifests of all packs of an installation, without opening a model.

    Args:
        folders: folders to search; default `search_folders(environ)`.
        environ: environment variables; default `os.environ`.
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
        packs.append(in_use)  # the pack is given by its path
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
