"""`SHA256SUMS` as the coreutils write and check it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

FILE: Final = "SHA256SUMS"


def checksums(folder: Path) -> str:
    """One line for each file under `folder` but `SHA256SUMS` itself, sorted by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / FILE)
    return "".join(f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)


def sha256(path: Path) -> str:
    """Of a file, lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
