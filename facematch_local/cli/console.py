"""Printing that all commands share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = False) -> Console:
    """A rich console; off a terminal (pipes, CI) lines are not folded at 80 columns."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else 140)


def read_photo(path: Path) -> bytes:
    """The bytes of a photo named on the command line.

    Raises:
        FacematchError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise FacematchError(f"{path}: {error.strerror or type(error).__name__}") from None
