"""What the mutants came to: a table, the survivors as diffs, and JSON."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from scripts.mutation.sample import Mutant

EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")
OUTCOMES: Final = ("killed", "timeout", "survived", "equivalent")


@dataclass(frozen=True, slots=True)
class Result:
    """One mutant and its outcome, one of `OUTCOMES`.

    Attributes:
        seconds: that the tests took.
        reason: why it is equivalent, "" where it is not; of a killed one the first failed test.
    """

    mutant: Mutant
    outcome: str
    seconds: float
    reason: str = ""


def equivalents(path: Path = EQUIVALENT) -> dict[tuple[str, str, str], str]:
    """Reasons why mutants need no test, by module, line before and line after."""
    entries = tomllib.loads(path.read_text("utf-8")).get("mutant", [])
    return {(entry["module"], entry["before"], entry["after"]): entry["reason"] for entry in entries}


def share_killed(results: Iterable[Result]) -> float:
    """Share of the mutants that tests noticed, of those that are not equivalent; 1 without any."""
    outcomes = [result.outcome for result in results if result.outcome != "equivalent"]
    return sum(outcome in ("killed", "timeout") for outcome in outcomes) / len(outcomes) if outcomes else 1.0


def table(results: Sequence[Result]) -> str:
    """One line a module and one for all, in Markdown."""
    lines = ["| Module | Mutants | Killed | Survived | Equivalent | Share killed |", "|---|---|---|---|---|---|"]
    modules = sorted({result.mutant.module for result in results})
    lines += [_row(module, [r for r in results if r.mutant.module == module]) for module in modules]
    return "\n".join([*lines, _row("All", results)])


def _row(name: str, results: Sequence[Result]) -> str:
    count = {outcome: sum(result.outcome == outcome for result in results) for outcome in OUTCOMES}
    killed, share = count["killed"] + count["timeout"], f"{share_killed(results):.0%}"
    return f"| {name} | {len(results)} | {killed} | {count['survived']} | {count['equivalent']} | {share} |"


def survivors(results: Iterable[Result]) -> str:
    """The mutants that no test noticed, as diffs."""
    return "\n\n".join(result.mutant.diff() for result in results if result.outcome == "survived")


def as_json(results: Sequence[Result], seed: int) -> dict[str, Any]:
    """All results with the seed of the sample."""
    return {
        "seed": seed,
        "share_killed": share_killed(results),
        "mutants": [
            asdict(result.mutant) | {"outcome": result.outcome, "seconds": result.seconds, "reason": result.reason}
            for result in results
        ],
    }
