"""Where packs lie, and which one is meant by a name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from facematch_local.errors import PackError
from facematch_local.packs.manifest import (
    MANIFEST,
    ModelFile,
    ModelPack,
    NotInstalledError,
    read_folder,
    read_manifest,
    require_tasks,
)

DEFAULT_PACK: Final = "auto"
"""The best pack installed."""
PREFERRED: Final = ("standard", "compact")
"""What `auto` means, the best first."""
SHIPPED: Final = "compact"
"""The pack that is always there. Its networks for checks are the fallback for packs that bring none."""
# Tasks with a fallback. Landmarks have none: a recogniser needs those that it was trained and calibrated with. The face
# filter has none: it was taught the errors of the shipped detector.
FALLBACK_TASKS: Final = ("occlusion", "recapture", "document", "photocopy")
MISSING: Final = "missing.txt"
"""Beside a manifest: why the build could not fetch the weights, one line."""


def search_folders(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Folders that may hold packs, in order: `FACEMATCH_MODELS`, shipped, `~/.insightface/models`."""
    environ = os.environ if environ is None else environ
    named = [Path(part) for part in environ.get("FACEMATCH_MODELS", "").split(os.pathsep) if part]
    return (*named, *shipped_folders(), *_home("~/.insightface/models"))


def find_pack(name: str = DEFAULT_PACK, folders: Sequence[Path] | None = None) -> ModelPack:
    """Find a pack by path or name.

    Args:
        name: a path (with a slash, or beginning with `.` or `~`), the name of a folder in one of `folders`, or `auto`
            for the best pack installed.
        folders: where to look; default `search_folders()`. An entry may also be the pack itself.

    Raises:
        NotInstalledError: there is no such pack, or its weights have not been fetched.
        PackError: its manifest is wrong.
    """
    folders = search_folders() if folders is None else folders
    if name == DEFAULT_PACK:
        return _best(folders)
    # A bare name is no path: what lies in the folder that a service happens to be started in is not meant.
    candidates = _home(name) if name.startswith((".", "~")) or any(mark in name for mark in "/\\") else []
    candidates += [folder / name for folder in folders]
    candidates += [folder for folder in folders if folder.name == name]
    described: NotInstalledError | None = None
    for candidate in candidates:
        if looks_like_pack(candidate):
            try:
                return read_pack(candidate, folders)
            except NotInstalledError as error:
                described = described or error
    if described is not None:
        raise described
    looked = ", ".join(str(folder) for folder in folders)
    raise NotInstalledError(
        f"no model pack {name!r}: give the path of a folder with a detector and a recogniser (ONNX), "
        f"or put the pack into one of {looked}"
    )


def scan_packs(folders: Sequence[Path] | None = None) -> Iterator[ModelPack | PackError]:
    """All packs in `folders` (default `search_folders()`), and for those that cannot be used the reason."""
    folders = search_folders() if folders is None else folders
    seen: set[Path] = set()
    for folder in folders:
        for candidate in _subfolders(folder):
            resolved = candidate.resolve()
            if resolved not in seen and looks_like_pack(candidate):
                seen.add(resolved)
                try:
                    yield read_pack(candidate, folders)
                except PackError as error:
                    yield error


def read_pack(folder: Path, folders: Sequence[Path] | None = None) -> ModelPack:
    """Read a pack's manifest, or tell the tasks of a plain insightface folder.

    Args:
        folder: the pack.
        folders: where its base is looked for if it does not lie beside it; default `search_folders()`.

    Raises:
        NotInstalledError: weights that its source holds are not here.
        PackError: the manifest is wrong, a file it names is missing, or a required task has no file.
    """
    pack = read_folder(folder)
    if not pack.base:
        return require_tasks(pack)
    folders = search_folders() if folders is None else folders
    for parent in (folder.parent, *folders, *shipped_folders()):
        if looks_like_pack(parent / pack.base) and parent / pack.base != folder:
            try:
                base = read_folder(parent / pack.base)
            except NotInstalledError:  # described there, its weights may lie elsewhere
                continue
            return require_tasks(_on(base, pack))
    raise PackError(f"{folder}: its base, the pack {pack.base!r}, is not installed")


def _on(base: ModelPack, pack: ModelPack) -> ModelPack:
    """A pack with the tasks of its base that it lacks, and what the base states of how those are used.

    Raises:
        PackError: the base has a base itself.
    """
    if base.base:
        raise PackError(f"{pack.folder}: its base, the pack {base.name!r}, has a base itself")
    own_detector, own_landmarks = "detection" in pack.files, "landmarks" in pack.files
    return replace(
        pack,
        files={**base.files, **pack.files},
        confirm_below=pack.confirm_below if own_detector or pack.confirm_below is not None else base.confirm_below,
        landmark_looks=pack.landmark_looks if own_landmarks or pack.landmark_looks is not None else base.landmark_looks,
    )


def fallback_networks(pack: ModelPack, folders: Sequence[Path] | None = None) -> dict[str, ModelFile]:
    """The shipped pack's networks, by task, for the tasks that `pack` brings no file for.

    Args:
        pack: the pack that lacks them.
        folders: folders that may hold the shipped pack; without it, or without its files, there is no fallback.

    Raises:
        PackError: the shipped pack's manifest is wrong.
    """
    for folder in shipped_folders() if folders is None else folders:
        manifest = folder / SHIPPED / MANIFEST
        if manifest.is_file():
            # Its other files are not needed: a small image may have left them out.
            files = read_manifest(manifest).files
            missing = [task for task in FALLBACK_TASKS if task in files and task not in pack.files]
            return {task: files[task] for task in missing if files[task].path.is_file()}
    return {}


def shipped_folders() -> tuple[Path, Path]:
    """Where the shipped packs lie: in the package inside a wheel, beside it in a checkout (editable install)."""
    package = Path(__file__).parents[1]
    return package / "models", package.parent / "models"


def looks_like_pack(folder: Path) -> bool:
    """Whether a folder has a manifest or models; a folder that may not be looked into does not."""
    try:
        return (folder / MANIFEST).is_file() or any(folder.glob("*.onnx"))
    except OSError:
        return False


def why_missing(name: str, folders: Sequence[Path]) -> str:
    """Why the build did not fetch the weights of a pack, as it wrote down; "" where it did not."""
    for folder in folders:
        try:
            said = (folder / name / MISSING).read_text("utf-8", "replace")
            return " ".join("".join(c if c.isprintable() else " " for c in said).split())[:300]
        except OSError:
            continue
    return ""


def _best(folders: Sequence[Path]) -> ModelPack:
    best, *others = PREFERRED
    try:
        return find_pack(best, folders)
    except NotInstalledError:
        reason = why_missing(best, folders)
    for name in others:
        try:
            pack = find_pack(name, folders)
        except NotInstalledError:
            continue
        because = f" ({reason})" if reason else ""
        notice = (
            f"the pack {best!r} is not installed{because}, so {name!r} is in use, which calls many right persons "
            f"unsure or no match; `facematch models add {best}` gets it"
        )
        return replace(pack, notice=notice)
    looked = ", ".join(str(folder) for folder in folders)
    raise NotInstalledError(f"none of the packs {', '.join(PREFERRED)} is installed; looked in {looked}")


def _home(path: str) -> list[Path]:
    try:
        return [Path(path).expanduser()]
    except RuntimeError:  # a container's user often has no home
        return []


def _subfolders(folder: Path) -> list[Path]:
    try:
        # Hidden ones are packs that `facematch models add` has not finished.
        return [folder, *sorted(entry for entry in folder.iterdir() if entry.is_dir() and entry.name[0] != ".")]
    except OSError:  # most of the folders that are searched do not exist
        return []
