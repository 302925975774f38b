"""One row of the list of pairs, and its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from facematch_local.batch.locations import redacted

INPUT_COLUMNS: Final = ("id", "path1", "path2", "type1")
COLUMNS: Final = ("id", "path1", "path2", "type1", "percent", "verdict", "warning", "warnings", "error", "reason")


class RowError(StrEnum):
    """Why a row has no result."""

    BAD_ROW = "bad_row"
    MISSING_FILE = "missing_file"
    UNREADABLE = "unreadable"
    UNAVAILABLE = "unavailable"
    EMPTY = "empty"
    OVER_LIMIT = "over_limit"
    UNDECODABLE = "undecodable"
    CRASHED = "crashed"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Fault:
    """An error code and its reason, in words without content of a photo and without secrets of a URL."""

    code: RowError
    reason: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of the list.

    Attributes:
        number: of the row in the list, from 1.
        id: as the list has it, else the number.
        path1: path or URL of image 1, as the list has it.
        path2: the same of image 2.
        type1: "card" or "portrait".
        fault: why the row cannot be used; the other fields then hold what could be read.
    """

    number: int
    id: str
    path1: str
    path2: str
    type1: str = "card"
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of the result: either a result or a fault.

    Attributes:
        id, path1, path2, type1: of the pair; URLs without userinfo and query.
        percent: 0 to 100, two decimals; None with a fault.
        verdict: match, unsure or no_match; "" with a fault.
        warnings: all codes that hold, lowest first.
        fault: why there is no result.
    """

    id: str
    path1: str
    path2: str
    type1: str
    percent: float | None = None
    verdict: str = ""
    warnings: tuple[int, ...] = ()
    fault: Fault | None = None

    @property
    def warning(self) -> int | None:
        """The lowest code, 0 without a warning; None with a fault."""
        if self.fault is not None:
            return None
        return self.warnings[0] if self.warnings else 0


def failed(pair: Pair, fault: Fault) -> Outcome:
    """The outcome of a pair that has no result."""
    return Outcome(pair.id, redacted(pair.path1), redacted(pair.path2), pair.type1, fault=fault)


def as_record(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain data by column, None where a column does not apply."""
    fault = outcome.fault
    return {
        "id": outcome.id,
        "path1": outcome.path1,
        "path2": outcome.path2,
        "type1": outcome.type1,
        "percent": outcome.percent,
        "verdict": outcome.verdict or None,
        "warning": outcome.warning,
        "warnings": None if fault else list(outcome.warnings),
        "error": fault.code.value if fault else None,
        "reason": fault.reason if fault else None,
    }


def from_record(record: Mapping[str, Any]) -> Outcome:
    """Read what `as_record` gave.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    fault = None if record["error"] is None else Fault(RowError(record["error"]), record["reason"])
    return Outcome(
        id=record["id"],
        path1=record["path1"],
        path2=record["path2"],
        type1=record["type1"],
        percent=None if fault else float(record["percent"]),
        verdict="" if fault else record["verdict"],
        warnings=() if fault else tuple(record["warnings"]),
        fault=fault,
    )
