"""What to expect of a pack: how often the right and the wrong person get each verdict.

A pack may hold these figures in `figures/expectations.json`, measured with its own calibration curve. The page of the
service shows them; `docs/accuracy.md` has the same figures with their commands and intervals.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from facematch_local.errors import PackError

EXPECTATIONS: Final = "figures/expectations.json"


class Expectation(BaseModel):
    """The verdicts of the comparisons of one population."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    population: str = Field(description="`lfw`, `random`, `east_asian`, `synthetic_card` or a name of your own")
    pairs: int | None = Field(gt=0, description="number of comparisons; null if not stated")
    people: int | None = Field(gt=0, description="number of people; null if not stated")
    match: float = Field(ge=0, description="comparisons with the verdict match")
    unsure: float = Field(ge=0, description="likewise unsure")
    no_match: float = Field(ge=0, description="likewise no match")


class Expectations(BaseModel):
    """The figures of a pack. Mated comparisons show one person, non-mated comparisons two (ISO/IEC 19795-1)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mated_per_100: tuple[Expectation, ...] = Field(description="verdicts of 100 mated comparisons")
    non_mated_per_100000: tuple[Expectation, ...] = Field(description="verdicts of 100,000 non-mated comparisons")


def read_expectations(folder: Path) -> Expectations | None:
    """The figures of the pack in `folder`; None if it has none.

    Raises:
        PackError: the file does not have the form of `Expectations`, or cannot be read.
    """
    path = folder / EXPECTATIONS
    try:
        return Expectations.model_validate_json(path.read_bytes()) if path.is_file() else None
    except (OSError, ValidationError):
        raise PackError(f"{path}: not a file of expected verdicts, see facematch_local/packs/expectations.py") from None
