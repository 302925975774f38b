"""File formats of lists and results."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from facematch_local.errors import FacematchError


class FileFormat(StrEnum):
    """A format of rows."""

    CSV = "CSV"
    JSON_LINES = "JSON Lines"
    PARQUET = "Parquet"


def format_of(path: Path) -> FileFormat:
    """The format that the name states.

    Raises:
        FacematchError: it states none.
    """
    formats = {
        ".csv": FileFormat.CSV,
        ".jsonl": FileFormat.JSON_LINES,
        ".ndjson": FileFormat.JSON_LINES,
        ".parquet": FileFormat.PARQUET,
    }
    try:
        return formats[path.suffix.lower()]
    except KeyError:
        raise FacematchError(f"{path}: the name must end with {', '.join(formats)}") from None
