"""What a run was made with: manifest of an unfinished run, and file beside a finished result."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from facematch_local import __version__
from facematch_local.batch.parts import read_json
from facematch_local.batch.reading import read_pairs
from facematch_local.batch.tally import Tally
from facematch_local.errors import FacematchError

_FORMAT: Final = 1


def describe(pairs: Path) -> dict[str, Any]:
    """Digest, size and number of rows of a list.

    Raises:
        FacematchError: it cannot be read.
    """
    try:
        with pairs.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
    except OSError as error:
        raise FacematchError(f"{pairs}: {error.strerror or type(error).__name__}") from None
    return {"sha256": digest, "bytes": size, "rows": sum(1 for _ in read_pairs(pairs))}


def run_record(described: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a run: nothing in it depends on when or how often the run was started."""
    return {
        "format": _FORMAT,
        "tool": f"facematch-local {__version__}",
        "input": dict(described),
        "settings": dict(settings),
    }


def with_counts(record: Mapping[str, Any], tally: Tally) -> dict[str, Any]:
    """The record of a finished run."""
    return {**record, "counts": tally.as_data()}


def counts_of(path: Path) -> Tally:
    """The counts in the record of a finished run.

    Raises:
        FacematchError: the record is damaged.
    """
    try:
        return Tally.from_data((read_json(path) or {})["counts"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise FacematchError(f"{path}: damaged") from None


def refuse_change(earlier: Mapping[str, Any], record: Mapping[str, Any], pairs: Path, where: Path) -> None:
    """Compare the record of an earlier run with that of the one which is to go on.

    Args:
        earlier, record: the records.
        pairs: the list, for the message.
        where: where the earlier record lies, for the message.

    Raises:
        FacematchError: the list, a setting or the version differs.
    """
    if earlier.get("input") != record["input"]:
        raise FacematchError(f"{pairs}: is not the list that the interrupted run began with; nothing was changed")
    before = earlier.get("settings")
    known = before if isinstance(before, Mapping) else {}
    changed = [name for name, value in record["settings"].items() if known.get(name) != value]
    if (earlier.get("format"), earlier.get("tool")) != (record["format"], record["tool"]):
        changed.append("version of facematch-local")
    if changed:
        raise FacematchError(
            f"the interrupted run had other settings ({', '.join(changed)}); resume with the same, or delete {where}"
        )
