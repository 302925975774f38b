"""Wheels: what they say of themselves, and the licence texts they carry."""

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
        name: of the distribution, as its metadata has it.
        version: its version.
        sha256: of the file, lower-case hex.
        licence: SPDX expression, the licence's name, or "" where the wheel states none.
        licence_texts: name (without the metadata's folder) to content.
    """

    path: Path
    name: str
    version: str
    sha256: str
    licence: str
    licence_texts: Mapping[str, bytes]


def read_wheel(path: Path) -> Wheel:
    """Read a wheel's metadata; nothing of it is run.

    Raises:
        ValueError: it is no wheel.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            metadata = next(n for n in names if n.count("/") == 1 and n.endswith(".dist-info/METADATA"))
            fields = HeaderParser().parsestr(archive.read(metadata).decode("utf-8"))
            folder = metadata.removesuffix("METADATA")
            texts = {name.removeprefix(folder): archive.read(name) for name in names if _is_licence(name, folder)}
    except (zipfile.BadZipFile, StopIteration, UnicodeDecodeError):
        raise ValueError(f"{path.name} is no wheel") from None
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
    # Elsewhere by name: older wheels have it beside the metadata, some (ONNX Runtime) inside the package.
    path = PurePosixPath(name)
    return path.suffix.lower() in ("", ".txt", ".md", ".rst") and path.stem.upper().startswith(_LICENCE_NAMES)


def _classifiers(classifiers: list[str]) -> str:
    return ", ".join(
        text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: OSI Approved ::")
    )


def _short(fields: Message) -> str:
    # Old metadata may hold the whole text here.
    lines = (fields.get("License") or "").strip().splitlines()
    return lines[0][:100] if lines else ""
