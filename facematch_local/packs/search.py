"""Search for packs by name or path."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from facematch_local.errors import PackError
from facematch_local.packs.manifest import read_folder, read_manifest, require_tasks
from facematch_local.packs.model_pack import MANIFEST, ModelFile, ModelPack, NotInstalledError

DEFAULT_PACK: Final = "auto"
"""The name that selects the best installed pack."""
PREFERRED: Final = ("standard", "compact")
"""The packs that `auto` selects from, best first."""
SHIPPED: Final = "compact"
"""The pack that is always installed. Packs without networks for checks use its networks as a fallback."""
# Tasks with a fallback. The landmark network is not among them: a recogniser needs the landmarks of its training and
# calibration. Nor is the face filter: it was trained on the errors of the shipped detector.
FALLBACK_TASKS: Final = ("occlusion", "recapture", "texture", "document", "photocopy")
MISSING: Final = "missing.txt"
"""Name of the file beside a manifest that states in one line why the build could not fetch the weights."""


def search_folders(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Folders to search for packs, in order: `FACEMATCH_MODELS`, shipped packs, `~/.insightface/models`."""
    environ = os.environ if environ is None else environ
    named = [Path(part) for part in environ.get("FACEMATCH_MODELS", "").split(os.pathsep) if part]
    return (*named, *shipped_folders(), *_home("~/.insightface/models"))


def find_pack(name: str = DEFAULT_PACK, folders: Sequence[Path] | None = None) -> ModelPack:
    """Find a pack by path or name.

    Args:
        name: a path (with a slash, or beginning with `.` or `~`), the name of a folder in one of `folders`, or `auto`
            for the best installed pack.
        folders: folders to search; default `search_folders()`. An entry may also be the pack itself.

    Raises:
        NotInstalledError: the pack does not exist, or its weights are missing.
        PackError: the manifest is invalid.
    """
    folders = search_folders() if folders is None else folders
    if name == DEFAULT_PACK:
        return _best(folders)
    # A bare name is not a path: it must not select a folder in the service's working directory.
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
    """All packs in `folders` (default `search_folders()`); the error in place of an unusable one."""
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
    """Read a pack's manifest, or identify the models of a plain insightface folder.

    Args:
        folder: the pack.
        folders: folders to search for the pack's base if it is not beside the pack; default `search_folders()`.

    Raises:
        NotInstalledError: weights from the pack's source are missing.
        PackError: the manifest is invalid, a file that it names is missing, or a required task has no file.
    """
    pack = read_folder(folder)
    if not pack.base:
        return require_tasks(pack)
    folders = search_folders() if folders is None else folders
    for parent in (folder.parent, *folders, *shipped_folders()):
        if looks_like_pack(parent / pack.base) and parent / pack.base != folder:
            try:
                base = read_folder(parent / pack.base)
            except NotInstalledError:  # another folder may contain the weights
                continue
            return require_tasks(_on(base, pack))
    raise PackError(f"{folder}: its base, the pack {pack.base!r}, is not installed")


def _on(base: ModelPack, pack: ModelPack) -> ModelPack:
    """Complete a pack with the missing tasks of its base, and with the base's settings for those tasks.

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
    """The shipped pack's networks for the tasks of `FALLBACK_TASKS` that `pack` lacks, by task.

    Args:
        pack: a pack that may lack networks.
        folders: folders to search for the shipped pack; default `shipped_folders()`.

    Returns:
        An empty mapping if the shipped pack or its files are missing.

    Raises:
        PackError: the shipped pack's manifest is invalid.
    """
    for folder in shipped_folders() if folders is None else folders:
        manifest = folder / SHIPPED / MANIFEST
        if manifest.is_file():
            # The shipped pack's other files are not required: a small container image may omit them.
            files = read_manifest(manifest).files
            missing = [task for task in FALLBACK_TASKS if task in files and task not in pack.files]
            return {task: files[task] for task in missing if files[task].path.is_file()}
    return {}


def shipped_folders() -> tuple[Path, Path]:
    """Folders of the shipped packs: inside the package (wheel), and beside it (checkout, editable install)."""
    package = Path(__file__).parents[1]
    return package / "models", package.parent / "models"


def looks_like_pack(folder: Path) -> bool:
    """Whether a folder contains a manifest or models; False for an unreadable folder."""
    try:
        return (folder / MANIFEST).is_file() or any(folder.glob("*.onnx"))
    except OSError:
        return False


def why_missing(name: str, folders: Sequence[Path]) -> str:
    """The build's note why it did not fetch the weights of a pack; "" without a note."""
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
            f"the pack {best!r} is not installed{because}, so {name!r} is in use, which reports many matching pairs "
            f"as unsure or no match; install the better pack with `facematch models add {best}`"
        )
        return replace(pack, notice=notice)
    looked = ", ".join(str(folder) for folder in folders)
    raise NotInstalledError(f"none of the packs {', '.join(PREFERRED)} is installed; looked in {looked}")


def _home(path: str) -> list[Path]:
    try:
        return [Path(path).expanduser()]
    except RuntimeError:  # users of containers often have no home folder
        return []


def _subfolders(folder: Path) -> list[Path]:
    try:
        # Hidden folders are packs that `facematch models add` is still writing.
        return [folder, *sorted(entry for entry in folder.iterdir() if entry.is_dir() and entry.name[0] != ".")]
    except OSError:  # most of the searched folders do not exist
        return []
