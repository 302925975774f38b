"""`facematch doctor`: what was detected, and what is wrong with it."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import typer

from facematch_local.cli.console import console
from facematch_local.errors import FacematchError

_LIBRARIES = ("insightface", "onnxruntime", "opencv-python", "numpy", "pillow", "pillow-heif", "fastapi", "SQLAlchemy")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at.

    Attributes:
        about: what.
        found: what it is, or what is wrong with it and what helps.
        wrong: whether the service would not work, or not well, like this.
        note: whether it works like this, but an operator should know.
    """

    about: str
    found: str
    wrong: bool = False
    note: bool = False


def doctor() -> None:
    """Print what this installation found, and what is wrong with it.

    CPUs, execution providers, model packs and their checksums, photo formats, and what the service needs:
    settings, database, writable folders. A line marked "note" is not wrong, but good to know. Exit code 1 if something
    is wrong.
    """
    out = console()
    wrong = 0
    for line in examine():
        mark = "[bold red]wrong[/]" if line.wrong else "[yellow] note[/]" if line.note else "[green]   ok[/]"
        out.print(f"{mark}  [bold]{line.about}[/]: ", end="")
        out.print(line.found, markup=False, soft_wrap=True)  # one line each, for grep
        wrong += line.wrong
    if wrong:
        out.print(f"\n{wrong} thing{'' if wrong == 1 else 's'} to put right.")
        raise typer.Exit(1)
    out.print("\nEverything is in order.")


def examine() -> Iterator[Line]:
    """Look at everything; a part that fails in an unforeseen way is a line of its own, not the end."""
    for part in (_versions, _cpus, _providers, _formats, _decoders, _packs, _policy, _service):
        try:
            yield from part()
        except Exception as error:  # a diagnosis must survive whatever it diagnoses
            yield Line(part.__name__.strip("_"), f"{type(error).__name__}: {error}", wrong=True)


def _versions() -> Iterator[Line]:
    from facematch_local import __version__

    yield Line("facematch-local", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    missing = [name for name in _LIBRARIES if not _version(name)]
    found = ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES if _version(name))
    yield Line("libraries", found + (f"; missing: {', '.join(missing)}" if missing else ""), wrong=bool(missing))


def _cpus() -> Iterator[Line]:
    from facematch_local.cpu import cpu_budget

    budget = cpu_budget()
    quota = "none" if budget.quota is None else f"{budget.quota:g} CPUs"
    yield Line(
        "CPUs", f"{budget.usable} used: machine {budget.machine}, affinity {budget.affinity}, cgroup quota {quota}"
    )
    # Libraries that start threads of their own look at these.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > budget.usable:
            yield Line(name, f"{value}, more than the {budget.usable} CPUs that may be used; unset it", wrong=True)


def _providers() -> Iterator[Line]:
    import onnxruntime

    available = onnxruntime.get_available_providers()
    yield Line("execution providers", ", ".join(available), wrong="CPUExecutionProvider" not in available)


def _formats() -> Iterator[Line]:
    from facematch_local.images import FORMATS, decode

    decode_failed = []
    for name, photo in _tiny_photos().items():
        try:
            decode(photo)
        except FacematchError:
            decode_failed.append(name)
    if decode_failed:
        yield Line("photo formats", f"{', '.join(decode_failed)} cannot be read; reinstall pillow", wrong=True)
    else:
        yield Line("photo formats", ", ".join(FORMATS))


def _decoders() -> Iterator[Line]:
    # By name: the library is typed, tested and used without the server.
    try:
        opening = importlib.import_module("facematch_server.decoding.opening")
    except ModuleNotFoundError:
        return  # `_service` says what is missing
    yield Line("decoders", *opening.examine(os.environ.get("FACEMATCH_DECODE_PROCESSES", "")))


def _packs() -> Iterator[Line]:
    from facematch_local.packs import SHIPPED, ModelPack, load_pack, overview

    seen = overview()
    for pack in seen.packs:
        licence = pack.licence or "licence not stated"
        yield Line("pack", f"{pack.name} {pack.version}".strip() + f" in {pack.folder}, {licence}")
    for error in seen.broken:
        yield Line("pack", str(error), wrong=True)
    notice = seen.in_use.notice if isinstance(seen.in_use, ModelPack) else ""
    # The notice says of a missing pack that it is missing, and why that matters here.
    yield from (Line("pack", str(missing)) for missing in seen.missing if not notice)
    name = seen.asked
    try:
        if not isinstance(seen.in_use, ModelPack):
            raise seen.in_use
        loaded = load_pack(seen.in_use)
    except FacematchError as error:
        yield Line(f"pack in use, {name}", str(error), wrong=True)
        return
    if name != loaded.pack.name:
        name += f", {loaded.pack.name}"
    if notice:
        yield Line("pack in use", notice, note=True)
    checked = sum(1 for file in loaded.pack.files.values() if file.sha256)
    verified = f"{checked} of {len(loaded.pack.files)} files verified by checksum, all open"
    lent = f"; lent by {SHIPPED}: {', '.join(loaded.lent)} head" if loaded.lent else ""
    curve = loaded.calibration.id
    curve += (
        "" if loaded.calibration.calibrated else " (no curve is known for this pack: `facematch calibrate` makes one)"
    )
    yield Line(f"pack in use, {name}", f"{verified}{lent}; calibration {curve}")


def _policy() -> Iterator[Line]:
    from facematch_local.policy import DEFAULT_POLICY, load_policy

    named = os.environ.get("FACEMATCH_POLICY")
    try:
        version = load_policy(Path(named) if named else DEFAULT_POLICY).version
    except FacematchError as error:
        yield Line("policy", str(error), wrong=True)
    else:
        yield Line("policy", f"version {version}, " + (named or "the shipped one"))


def _service() -> Iterator[Line]:
    # By name: the library is typed, tested and used without the server.
    try:
        importlib.import_module("facematch_server.settings")
    except ModuleNotFoundError as error:
        yield Line("service", f"not installed ({error.name} is missing); the library works without it")
        return
    from facematch_local.cli.serve import read_settings

    try:
        settings = read_settings()
    except FacematchError as error:
        yield Line("settings", str(error), wrong=True)
        return
    named = sorted(name for name in os.environ if name.startswith("FACEMATCH_"))
    yield Line("settings", f"in order; set are {', '.join(named)}" if named else "all at their defaults")
    yield _database(settings.store_url)


def _database(url: str) -> Line:
    store = importlib.import_module("facematch_server.store")
    name = store.describe(url)
    file = _sqlite_file(url)
    if file is not None and not file.exists():
        folder = next(parent for parent in file.absolute().parents if parent.exists())
        if os.access(folder, os.W_OK | os.X_OK):
            return Line("database", f"{name}, will be created at the first start")
        return Line("database", f"{name} cannot be created: {folder} is not writable", wrong=True)
    if file is not None and not os.access(file, os.W_OK):
        return Line("database", f"{name} is not writable for this user", wrong=True)
    try:
        status = store.status(url)
    except FacematchError as error:
        return Line("database", str(error), wrong=True)
    if status.up_to_date:
        return Line("database", f"{name}, revision {status.current}")
    if not status.known and status.current is not None:
        return Line("database", f"{name} was made by a newer version (revision {status.current})", wrong=True)
    return Line("database", f"{name} needs `facematch db upgrade`", wrong=file is None)


def _sqlite_file(url: str) -> Path | None:
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _tiny_photos() -> dict[str, bytes]:
    """A small photo in each format that this installation can also write."""
    import io

    from PIL import Image

    photos = {}
    for name in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"):
        stream = io.BytesIO()
        try:
            Image.new("RGB", (16, 16), (200, 150, 100)).save(stream, name)
        except (KeyError, OSError):
            continue
        photos[name] = stream.getvalue()
    return photos
