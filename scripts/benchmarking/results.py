"""The result of a run, and its form as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from scripts.benchmarking.growth import Grown
from scripts.benchmarking.samples import Figures
from scripts.scaling.figures import Conditions

FOLDER: Final = Path(__file__).resolve().parent


class ResultError(Exception):
    """A file is not the result of a run."""


@dataclass(frozen=True, slots=True)
class Result:
    """All figures of a run.

    Attributes:
        conditions: where and when.
        pack: name and version of the model pack.
        photos: the size of card and portrait as text.
        sizes: detection sizes of "bare models at our sizes", card and portrait.
        figures: the rows of the table.
        grown: the curves.
        stages: milliseconds of a match by stage, summed over both photos; empty if not measured.
        ready_s: seconds from the command to the open port, median; 0 if not measured.
        rest_mib: memory of the service before its first request, median; 0 likewise.
        compare_s: seconds of the command `facematch compare`, median; 0 likewise.
    """

    conditions: Conditions
    pack: str
    photos: tuple[str, str]
    sizes: tuple[tuple[int, int], tuple[int, int]]
    figures: tuple[Figures, ...]
    grown: tuple[Grown, ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict)
    ready_s: float = 0.0
    rest_mib: float = 0.0
    compare_s: float = 0.0

    def find(self, subject: str, way: str, clients: int) -> Figures | None:
        """A row; None if it was not measured."""
        rows = (one for one in self.figures if (one.subject, one.way, one.clients) == (subject, way, clients))
        return next((one for one in rows if not one.absent), None)


def to_json(result: Result) -> str:
    """The result as JSON."""
    return json.dumps(asdict(result), indent=1)


def from_json(text: str) -> Result:
    """The result that `to_json` printed.

    Raises:
        ResultError: the text is not one.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        sizes = tuple(tuple(size) for size in data["sizes"])
        made = {
            **data,
            "conditions": Conditions(**data["conditions"]),
            "photos": tuple(data["photos"]),
            "sizes": sizes,
            "figures": tuple(Figures(**one) for one in data["figures"]),
            "grown": tuple(Grown(**one) for one in data["grown"]),
        }
        return Result(**made)
    except (ValueError, TypeError, KeyError) as error:
        raise ResultError(f"not a result of the benchmark ({type(error).__name__})") from None
