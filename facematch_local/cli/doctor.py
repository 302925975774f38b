"""The library's part of the command `facematch doctor`: detects the environment and its problems."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from facematch_local.cli.doctor_providers import provider_in_use, runtime
from facematch_local.cli.doctor_report import Group, Line
from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    from facematch_local.packs import Overview

_LIBRARIES = ("insightface", "opencv-python", "numpy", "pillow", "pillow-heif", "fastapi", "SQLAlchemy")


def _versions() -> Iterator[Line]:
    from facematch_local import __version__

    yield Line("facematch-local", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    missing = [name for name in _LIBRARIES if not _version(name)]
    found = ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES if _version(name))
    if missing:
        step = "install facematch-local again with its dependencies: `make setup` or `pip install facematch-local`"
        yield Line("libraries", f"{found}; missing: {', '.join(missing)}", wrong=True, next_step=step)
    else:
        yield Line("libraries", found)


def _cpus() -> Iterator[Line]:
    from facematch_local.cpu import cpu_budget

    budget = cpu_budget()
    quota = "none" if budget.quota is None else f"{budget.quota:g} CPUs"
    yield Line(
        "CPUs", f"{budget.usable} used: machine {budget.machine}, affinity {budget.affinity}, cgroup quota {quota}"
    )
    # Libraries with their own threads read these variables.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > budget.usable:
            found = f"{value}, more than the {budget.usable} usable CPUs"
            yield Line(name, found, wrong=True, next_step=f"unset {name}")


def _formats() -> Iterator[Line]:
    from facematch_local.imaging.decode import FORMATS, decode

    decode_failed = []
    for name, photo in _tiny_photos().items():
        try:
            decode(photo)
        except FacematchError:
            decode_failed.append(name)
    if decode_failed:
        step = "reinstall the decoders: `pip install --force-reinstall pillow pillow-heif`"
        yield Line("photo formats", f"{', '.join(decode_failed)} cannot be read", wrong=True, next_step=step)
    else:
        yield Line("photo formats", ", ".join(FORMATS))


def _packs() -> Iterator[Line]:
    from facematch_local.packs import ModelPack, overview

    seen = overview()
    for pack in seen.packs:
        licence = pack.licence or "licence not stated"
        yield Line("pack", f"{pack.name} {pack.version}".strip() + f" in {pack.folder}, {licence}")
    for error in seen.broken:
        step = "delete that folder, or install the pack again with `facematch models add ... --replace`"
        yield Line("pack", str(error), wrong=True, next_step=step)
    notice = seen.in_use.notice if isinstance(seen.in_use, ModelPack) else ""
    # The notice reports the missing pack and the consequences.
    yield from (Line("pack", str(missing)) for missing in seen.missing if not notice)
    yield from _pack_in_use(seen, notice)


def _pack_in_use(seen: Overview, notice: str) -> Iterator[Line]:
    from facematch_local.packs import SHIPPED, ModelPack, load_pack

    name = seen.asked
    try:
        if not isinstance(seen.in_use, ModelPack):
            raise seen.in_use
        loaded = load_pack(seen.in_use)
    except FacematchError as error:
        step = "choose an installed pack with FACEMATCH_PACK (`facematch models list`), or install one "
        step += "(`facematch models add standard`)"
        yield Line(f"pack in use, {name}", str(error), wrong=True, next_step=step)
        return
    if name != loaded.pack.name:
        name += f", {loaded.pack.name}"
    if notice:
        yield Line("pack in use", notice, note=True, next_step="install it: `facematch models add standard`")
    checked = sum(1 for file in loaded.pack.files.values() if file.sha256)
    verified = f"{checked} of {len(loaded.pack.files)} files verified by checksum, all models open"
    fallback = f"; fallback networks of {SHIPPED}: {', '.join(loaded.fallback)}" if loaded.fallback else ""
    calibrated = loaded.calibration.calibrated
    curve = loaded.calibration.id + ("" if calibrated else " (no curve for this pack: percentages are too low)")
    step = "" if calibrated else "make a curve from your own photos: `facematch calibrate`"
    yield Line(
        f"pack in use, {name}",
        f"{verified}{fallback}; calibration {curve}",
        note=not calibrated,
        next_step=step,
    )


def _policy() -> Iterator[Line]:
    from facematch_local.policy import DEFAULT_POLICY, load_policy

    named = os.environ.get("FACEMATCH_POLICY")
    try:
        version = load_policy(Path(named) if named else DEFAULT_POLICY).version
    except FacematchError as error:
        step = "correct the file, or unset FACEMATCH_POLICY to use the shipped one"
        yield Line("policy", str(error), wrong=True, next_step=step)
    else:
        yield Line("policy", f"version {version}, " + (named or "the shipped one"))


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


GROUPS = (
    Group("Machine", (_cpus,)),
    Group("Installation", (_versions, runtime, _formats)),
    Group("Models", (_packs, provider_in_use, _policy)),
)
"""What the library can examine without the service."""
