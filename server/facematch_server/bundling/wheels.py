"""Wheels: their metadata and licence texts."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath
from typing import Final

_LICENCE_NAMES: Final = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS", "COPYRIGHT", "THIRDPARTY")
_APPROVED: Final = "License :: OSI Approved ::"


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel file.

    Attributes:
        path: the file.
        name: name of the distribution in its metadata.
        version: its version.
        sha256: checksum of the file, in lower-case hex.
        licence: SPDX expression, or name of the licence; "" if the wheel states none.
        licence_texts: file name (without the folder of the metadata) to content.
    """

    path: Path
    name: str
    version: str
    sha256: str
    licence: str
    licence_texts: Mapping[str, bytes]


def read_wheel(path: Path) -> Wheel:
    """Read a wheel's metadata without running any of its code.

    Raises:
        ValueError: the file is not a wheel.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            metadata = next(n for n in names if n.count("/") == 1 and n.endswith(".dist-info/METADATA"))
            fields = HeaderParser().parsestr(archive.read(metadata).decode("utf-8"))
            folder = metadata.removesuffix("METADATA")
            texts = {name.removeprefix(folder): archive.read(name) for name in names if _is_licence(name, folder)}
    except (zipfile.BadZipFile, StopIteration, UnicodeDecodeError):
        raise ValueError(f"{path.name} is not a wheel") from None
    licence = fields.get("License-Expression") or _classifiers(fields.get_all("Classifier", [])) or _short(fields)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Wheel(path, str(fields["Name"]), str(fields["Version"]), digest, licence, texts)


def requirements(wheels: list[Wheel]) -> str:
    """A requirements file that allows exactly these files (pip's `--require-hashes`)."""
    return "".join(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n" for wheel in wheels)


def _is_licence(name: str, folder: str) -> bool:
    if name.endswith("/"):
        return False
    if name.startswith(f"{folder}licenses/"):
        return True
    # By file name: older wheels have it beside the metadata, some (ONNX Runtime) inside the package.
    path = PurePosixPath(name)
    return path.suffix.lower() in ("", ".txt", ".md", ".rst") and path.stem.upper().startswith(_LICENCE_NAMES)


def _classifiers(classifiers: list[str]) -> str:
    return ", ".join(text.rpartition(" :: ")[2] for text in classifiers if text.startswith(_APPROVED))


def _short(fields: Message) -> str:
    # Old metadata may hold the whole licence text here.
    lines = (fields.get("License") or "").strip().splitlines()
    return lines[0][:100] if lines else ""
