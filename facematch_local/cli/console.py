"""Printing that all commands share."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = False) -> Console:
    """A rich console; off a terminal (pipes, CI) lines are not folded at 80 columns."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else 140)


def print_any_letter() -> None:
    """Let names be printed on consoles and into files whose encoding lacks their letters: as `\\u1ec5`.

    Windows has such consoles, and pipes in the encoding of the region.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors != "backslashreplace":
            stream.reconfigure(errors="backslashreplace")


def json_text(data: Any) -> str:
    """Indented JSON; letters as they are only where standard output has them all."""
    unicode = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "").startswith("utf")
    return json.dumps(data, indent=2, ensure_ascii=not unicode)


def read_photo(path: Path) -> bytes:
    """The bytes of a photo named on the command line.

    Raises:
        FacematchError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise FacematchError(f"{path}: {error.strerror or type(error).__name__}") from None
