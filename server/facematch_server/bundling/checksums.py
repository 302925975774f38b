"""`SHA256SUMS` in the format of the coreutils."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

FILE: Final = "SHA256SUMS"


def checksums(folder: Path) -> str:
    """One line for each file under `folder` except `SHA256SUMS`, sorted by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / FILE)
    return "".join(f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)


def sha256(path: Path) -> str:
    """SHA-256 of a file, in lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
