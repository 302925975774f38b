"""Add an operator's own pack: a folder or ZIP archive as insightface has them, or a recogniser alone."""

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
from facematch_local.packs.manifest import ModelFile, read_folder, read_manifest, require_model, task_of
from facematch_local.packs.search import looks_like_pack

# Texts that go along with the weights.
_TEXTS: Final = re.compile(r"(licen[cs]es?|notice|copying|readme|model_card)\b.*", re.IGNORECASE)
_DEPTH: Final = 2  # antelopev2.zip holds antelopev2/*.onnx; unpacked by a file manager it lies one deeper
_NOTHING: Final = "a folder or ZIP archive with a detector and a recogniser (ONNX), or a recogniser (ONNX), is needed"


def add_own(
    source: Path,
    *,
    name: str = "",
    to: Path | None = None,
    folders: Sequence[Path] | None = None,
    replace: bool = False,
) -> Added:
    """Put an operator's own pack in place.

    A folder without `pack.toml` gets one, with the checksums of its detector and recogniser. A recogniser alone is
    put beside the detector and the other networks of the shipped pack.

    Args:
        source: folder, ZIP archive or ONNX file.
        name: of the pack; default what its manifest says, else the name of the folder or file.
        to: the folder to put it into; default `default_folder()`.
        folders: where packs are looked for; default `search_folders()`.
        replace: whether a pack of the name, at that place, goes.

    Raises:
        PackError: it is no pack, does not work, or cannot be put there; in one line, with what to do.
    """
    _require_source(source)
    parent = to or default_folder()
    if source.is_dir():
        root = pack_root(source, source)
        name = name or _name_of(root, root.resolve().name)
        if (parent / name).resolve() == root.resolve():
            raise PackError(f"{root} lies where packs are looked for already; `facematch models verify` tries it")
        target = free_place(parent, name, replace=replace)
        return _add_folder(root, target, source, shutil.copyfile, folders, replace=replace)
    if source.suffix.lower() == ".onnx":
        return _add_recogniser(source, parent, name or source.stem, folders, replace=replace)
    if source.suffix.lower() == ".zip" or zipfile.is_zipfile(source):
        return _add_archive(source, parent, name, folders, replace=replace)
    raise PackError(f"{source}: neither a folder nor a ZIP archive nor an ONNX file (by its name); {_NOTHING}")


def pack_root(folder: Path, source: Path) -> Path:
    """The folder of the one pack in a folder: itself, or its only folder, or the only one in that.

    Args:
        folder: where to look.
        source: what errors name.

    Raises:
        PackError: there is none, or there may be several.
    """
    for _ in range(_DEPTH):
        if looks_like_pack(folder):
            return folder
        below = _folders_in(folder)
        if len(below) > 1:
            raise PackError(f"{source}: no pack in it, but several folders; give the folder of the pack itself")
        if not below:
            break
        folder = below[0]
    if looks_like_pack(folder):
        return folder
    raise PackError(f"{source}: no pack in it; {_NOTHING}")


def _require_source(source: Path) -> None:
    try:
        there = source.exists()
    except OSError as error:  # a name too long, a folder that may not be looked into
        raise PackError(f"{source}: cannot be read ({error.strerror})") from None
    if not there:
        raise PackError(
            f"{source}: no such file or folder; only 'standard' is ever downloaded, of all else give the path here"
        )
    if source.suffix.lower() == ".whl":
        raise PackError(f"{source}: not the wheel that 'standard' is made of (its SHA-256 differs), and no pack either")
    if not source.is_dir():
        if not source.is_file():
            raise PackError(f"{source}: neither a file nor a folder; {_NOTHING}")
        require_model(source)  # of an archive too: Git LFS pointers and empty files


def _add_archive(source: Path, parent: Path, name: str, folders: Sequence[Path] | None, *, replace: bool) -> Added:
    if name:
        free_place(parent, name, replace=replace)  # before the work
    with staging(parent / "archive", str(source)) as scratch:
        unpack(source, scratch)
        root = pack_root(scratch, source)
        # The archive's own name says more than a folder in it, unless a browser made it: `antelopev2 (1).zip`.
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
    """Take what belongs to a pack, see that the manifest names and seals it, and move it in."""
    if target.resolve().is_relative_to(root.resolve()):
        raise PackError(f"{target} lies in the folder that is to be added; give another place with --to")
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
            f"{source}: a detector alone makes no pack, since a recogniser's curve holds for the landmarks it was made "
            "with; put both into one folder and add that"
        )
    if task != "recognition":
        raise PackError(f"{source}: no face recogniser that insightface knows (one input of 3 x 112 x 112 is needed)")
    _require_self_contained(source)
    target = free_place(parent, name, replace=replace)
    with staging(target, str(source)) as scratch:
        folder = scratch / target.name
        folder.mkdir()
        shutil.copyfile(source, folder / "rec.onnx")
        _write_manifest(folder, target.name, source.name, {"recognition": folder / "rec.onnx"}, base=SHIPPED)
        return move_in(folder, target, folders, replace=replace and target.exists())


def _members(root: Path) -> Iterator[Path]:
    """The files of a pack that are taken along; what else lies in the folder is left."""
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
            f"{folder}: no detector in it; to use the recogniser with the detector of {SHIPPED}, add its file alone"
        )
    if lacking:
        raise PackError(f"{folder}: no {' and no '.join(lacking)} model in it that insightface knows; {_NOTHING}")


def _require_self_contained(model: Path) -> None:
    """Refuse models whose weights lie in another file: it may be any file of this machine.

    Raises:
        PackError: it is such a model, or none.
    """
    import onnx
    from onnx.external_data_helper import uses_external_data

    try:
        graph = onnx.load_model(str(model), load_external_data=False).graph
    except Exception as error:  # protobuf raises its own DecodeError, by version from various modules
        raise PackError(f"{model}: damaged or no ONNX model ({type(error).__name__})") from None
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
    """Have a manifest say the name under which the pack lies, and reports speak of it."""
    head, bracket, rest = manifest.read_text("utf-8").partition("\n[")
    head = re.sub(r"(?m)^[ \t]*name[ \t]*=.*$", f"name = {json.dumps(name)}", head, count=1)
    manifest.write_text(head + bracket + rest, "utf-8")
    if read_manifest(manifest).name != name:
        raise PackError(f"{manifest}: its name cannot be changed to {name!r} here; edit it, or leave --name out")


def _name_of(root: Path, otherwise: str) -> str:
    return read_manifest(root / MANIFEST).name if (root / MANIFEST).is_file() else otherwise


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith((".", "__")))
    except OSError:
        return []
