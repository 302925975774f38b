"""Output and input helpers for all commands."""

from __future__ import annotations

import io
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    from rich.console import Console


class EngineName(StrEnum):
    """Where a command does its work: processes of this machine, or a Ray cluster."""

    LOCAL = "local"
    RAY = "ray"


def console(*, stderr: bool = False) -> Console:
    """A rich console; without a terminal (pipes, CI) the width is 140 columns instead of 80."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else 140)


def print_any_letter() -> None:
    """Print characters that the encoding of a console or file lacks as escapes such as `\\u1ec5`.

    Windows has such consoles, and its pipes use the regional encoding.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors != "backslashreplace":
            stream.reconfigure(errors="backslashreplace")


def json_text(data: Any) -> str:
    """Indented JSON; ASCII escapes unless standard output uses Unicode."""
    unicode = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "").startswith("utf")
    return json.dumps(data, indent=2, ensure_ascii=not unicode)


def read_photo(path: Path) -> bytes:
    """Read the bytes of a photo named on the command line.

    Raises:
        FacematchError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise FacematchError(f"{path}: {error.strerror or type(error).__name__}") from None
