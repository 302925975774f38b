"""The history of the ratios: one entry for each commit, machine and pack."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from scripts.benchmarking.reach import aims
from scripts.benchmarking.results import FOLDER, Result, ResultError

HISTORY: Final = FOLDER / "history.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """The ratios of a run.

    Attributes:
        date: ISO date.
        commit: of the measured tree.
        machine: its processor and number of cores.
        pack: the model pack.
        ratios: the values of the aims by their names.
    """

    date: str
    commit: str
    machine: str
    pack: str
    ratios: Mapping[str, float]


def entry_of(result: Result) -> Entry:
    """The entry of a run."""
    one = result.conditions
    values = {aim.name: round(aim.value, 2) for aim in aims(result)}
    return Entry(one.date, one.commit, f"{one.cores} x {one.cpu}", result.pack, values)


def with_entry(history: Sequence[Entry], new: Entry) -> list[Entry]:
    """The history with a further entry; it replaces one of the same commit, machine and pack."""
    kept = [one for one in history if (one.commit, one.machine, one.pack) != (new.commit, new.machine, new.pack)]
    return sorted([*kept, new], key=lambda one: one.date)


def read_history(path: Path = HISTORY) -> list[Entry]:
    """The committed history.

    Raises:
        ResultError: the file is damaged.
    """
    try:
        return [Entry(**one) for one in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise ResultError(f"{path.name} cannot be read ({type(error).__name__})") from None


def write_history(history: Sequence[Entry], path: Path = HISTORY) -> None:
    """Write the history."""
    path.write_text(json.dumps([asdict(one) for one in history], indent=1) + "\n", "utf-8")
