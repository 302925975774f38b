"""Installation of an operator's own pack: a folder or ZIP archive in insightface's layout, or a single recogniser."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from facematch_local.adding.archives import unpack
from facematch_local.adding.place import Added, default_folder, free_place, move_in, staging
from facematch_local.errors import PackError
from facematch_local.packs import CALIBRATION, MANIFEST, REQUIRED_TASKS, SHIPPED, sha256_of
from facematch_local.packs.files import require_model, task_of
from facematch_local.packs.manifest import read_folder, read_manifest
from facematch_local.packs.model_pack import ModelFile
from facematch_local.packs.search import looks_like_pack

# Text files that are copied with the weights.
_TEXTS: Final = re.compile(r"(licen[cs]es?|notice|copying|readme|model_card)\b.*", re.IGNORECASE)
_DEPTH: Final = 2  # antelopev2.zip contains antelopev2/*.onnx; a file manager adds another level when unpacking
_NOTHING: Final = "give a folder or ZIP archive with a detector and a recogniser (ONNX), or a single recogniser (ONNX)"


def add_own(
    source: Path,
    *,
    name: str = "",
    to: Path | None = None,
    folders: Sequence[Path] | None = None,
    replace: bool = False,
) -> Added:
    """Install an operator's own pack.

    A folder without `pack.toml` gets one with the checksums of its detector and recogniser. A single recogniser gets a
    manifest with the shipped pack as its base, which provides the detector and the other networks.

    Args:
        source: folder, ZIP archive or ONNX file.
        name: name of the pack; default the name in its manifest, else the name of the folder or file.
        to: parent folder of the pack; default `default_folder()`.
        folders: folders of the pack search; default `search_folders()`.
        replace: whether to replace an existing pack of that name in `to`.

    Raises:
        PackError: the source is not a pack, the pack does not work, or it cannot be written; the message is one line
            with the remedy.
    """
    _require_source(source)
    parent = to or default_folder()
    if source.is_dir():
        root = pack_root(source, source)
        name = name or _name_of(root, root.resolve().name)
        if (parent / name).resolve() == root.resolve():
            raise PackError(f"{root} is already in a folder of packs; check it with `facematch models verify`")
        target = free_place(parent, name, replace=replace)
        return _add_folder(root, target, source, shutil.copyfile, folders, replace=replace)
    if source.suffix.lower() == ".onnx":
        return _add_recogniser(source, parent, name or source.stem, folders, replace=replace)
    if source.suffix.lower() == ".zip" or zipfile.is_zipfile(source):
        return _add_archive(source, parent, name, folders, replace=replace)
    raise PackError(f"{source}: not a folder, ZIP archive or ONNX file (by its name); {_NOTHING}")


def pack_root(folder: Path, source: Path) -> Path:
    """Find the pack in a folder: the folder itself, its only subfolder, or the only subfolder of that.

    Args:
        folder: the folder to search.
        source: the path to name in error messages.

    Raises:
        PackError: the folder contains no pack, or may contain several.
    """
    for _ in range(_DEPTH):
        if looks_like_pack(folder):
            return folder
        below = _folders_in(folder)
        if len(below) > 1:
            raise PackError(f"{source}: contains no pack but several folders; give the folder of the pack itself")
        if not below:
            break
        folder = below[0]
    if looks_like_pack(folder):
        return folder
    raise PackError(f"{source}: contains no pack; {_NOTHING}")


def _require_source(source: Path) -> None:
    try:
        there = source.exists()
    except OSError as error:  # the name is too long, or the folder is not readable
        raise PackError(f"{source}: cannot be read ({error.strerror})") from None
    if not there:
        raise PackError(
            f"{source}: no such file or folder; only 'standard' can be downloaded, give the path of any other pack"
        )
    if source.suffix.lower() == ".whl":
        raise PackError(f"{source}: not the wheel for 'standard' (its SHA-256 differs), and not a pack")
    if not source.is_dir():
        if not source.is_file():
            raise PackError(f"{source}: not a file or folder; {_NOTHING}")
        require_model(source)  # archives, too, may be Git LFS pointers or empty files


def _add_archive(source: Path, parent: Path, name: str, folders: Sequence[Path] | None, *, replace: bool) -> Added:
    if name:
        free_place(parent, name, replace=replace)  # fail before unpacking
    with staging(parent / "archive", str(source)) as scratch:
        unpack(source, scratch)
        root = pack_root(scratch, source)
        # Prefer the archive's name over that of its folder, unless a browser changed it: `antelopev2 (1).zip`.
        otherwise = source.stem if root == scratch or source.stem.isidentifier() else root.name
        target = free_place(parent, name or _name_of(root, otherwise), replace=replace)
        return _add_folder(root, target, source, os.replace, folders, replace=replace)


def _add_folder(
    root: Path,
    target: Path,
    source: Path,
    transfer: Callable[[Path, Path], object],
    folders: Sequence[Path] | None,
    *,
    replace: bool,
) -> Added:
    """Transfer the files of a pack, write or adapt its manifest, and install it."""
    if target.resolve().is_relative_to(root.resolve()):
        raise PackError(f"{target} is inside the folder to be added; give another folder with --to")
    with staging(target, str(source)) as scratch:
        folder = scratch / target.name
        files = sorted(set(_members(root)))
        for path in files:
            require_model(path)
            taken = folder / path.relative_to(root)
            taken.parent.mkdir(parents=True, exist_ok=True)
            transfer(path, taken)
        for model in folder.rglob("*.onnx"):
            _require_self_contained(model)
        if not (folder / MANIFEST).is_file():
            found = read_folder(folder).files
            _require_both(folder, found)
            _write_manifest(folder, target.name, source.name, {task: found[task].path for task in REQUIRED_TASKS})
        elif read_manifest(folder / MANIFEST).name != target.name:
            _rename(folder / MANIFEST, target.name)
        return move_in(folder, target, folders, replace=replace and target.exists())


def _add_recogniser(source: Path, parent: Path, name: str, folders: Sequence[Path] | None, *, replace: bool) -> Added:
    task = task_of(source)
    if task == "detection":
        raise PackError(
            f"{source}: a detector alone is not a pack, because a recogniser's calibration curve depends on the "
            "detector's landmarks; put both into one folder and add that folder"
        )
    if task != "recognition":
        raise PackError(f"{source}: not a face recogniser that insightface supports (one input of 3 x 112 x 112)")
    _require_self_contained(source)
    target = free_place(parent, name, replace=replace)
    with staging(target, str(source)) as scratch:
        folder = scratch / target.name
        folder.mkdir()
        shutil.copyfile(source, folder / "rec.onnx")
        _write_manifest(folder, target.name, source.name, {"recognition": folder / "rec.onnx"}, base=SHIPPED)
        return move_in(folder, target, folders, replace=replace and target.exists())


def _members(root: Path) -> Iterator[Path]:
    """The files that belong to the pack; other files in the folder are not copied."""
    for entry in root.iterdir():
        if entry.is_file() and (entry.name == CALIBRATION or _TEXTS.fullmatch(entry.name)):
            yield entry
        elif entry.is_dir() and _TEXTS.fullmatch(entry.name):
            yield from (below for below in entry.iterdir() if below.is_file())
    if not (root / MANIFEST).is_file():
        yield from (path for path in root.glob("*.onnx") if path.name[0] != ".")
        return
    pack = read_manifest(root / MANIFEST)
    yield root / MANIFEST
    yield from (file.path for file in pack.files.values())
    if pack.calibration is not None:
        yield pack.calibration


def _require_both(folder: Path, found: Mapping[str, ModelFile]) -> None:
    lacking = [task for task in REQUIRED_TASKS if task not in found]
    if lacking == ["detection"]:
        raise PackError(
            f"{folder}: contains no detector; to use the recogniser with the detector of {SHIPPED}, add its file alone"
        )
    if lacking:
        raise PackError(f"{folder}: contains no {' and no '.join(lacking)} model that insightface supports; {_NOTHING}")


def _require_self_contained(model: Path) -> None:
    """Refuse a model with weights in another file, because that may be any file of this machine.

    Raises:
        PackError: the model has weights in another file, or is not an ONNX model.
    """
    import onnx
    from onnx.external_data_helper import uses_external_data

    try:
        graph = onnx.load_model(str(model), load_external_data=False).graph
    except Exception as error:  # protobuf's DecodeError is in a module that depends on its version
        raise PackError(f"{model}: damaged or not an ONNX model ({type(error).__name__})") from None
    if any(uses_external_data(weight) for weight in graph.initializer):
        raise PackError(f"{model}: keeps its weights in another file; save it as one file (`onnx.save`)")


def _write_manifest(folder: Path, name: str, origin: str, files: Mapping[str, Path], base: str = "") -> None:
    lines = [f"# Written by `facematch models add` from {json.dumps(origin)}.", f"name = {json.dumps(name)}"]
    lines += [f"base = {json.dumps(base)}"] if base else []
    for task, path in files.items():
        file = json.dumps(path.relative_to(folder).as_posix(), ensure_ascii=False)
        lines += ["", f"[tasks.{task}]", f"file = {file}", f'sha256 = "{sha256_of(path)}"']
    (folder / MANIFEST).write_text("\n".join(lines) + "\n", "utf-8")


def _rename(manifest: Path, name: str) -> None:
    """Set the name in a manifest to the name of the pack's folder, which reports use."""
    head, bracket, rest = manifest.read_text("utf-8").partition("\n[")
    head = re.sub(r"(?m)^[ \t]*name[ \t]*=.*$", f"name = {json.dumps(name)}", head, count=1)
    manifest.write_text(head + bracket + rest, "utf-8")
    if read_manifest(manifest).name != name:
        raise PackError(f"{manifest}: its name cannot be changed to {name!r}; edit the manifest, or omit --name")


def _name_of(root: Path, otherwise: str) -> str:
    return read_manifest(root / MANIFEST).name if (root / MANIFEST).is_file() else otherwise


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith((".", "__")))
    except OSError:
        return []
