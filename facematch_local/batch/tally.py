"""Counts of outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from facematch_local.batch.rows import Outcome

VERDICTS = ("match", "unsure", "no_match")


@dataclass(slots=True)
class Tally:
    """Counts that grow with each outcome.

    Attributes:
        rows: outcomes counted.
        verdicts: results by verdict.
        warnings: results by each code that holds.
        errors: rows without a result by error code.
        percents: results by percent, rounded down, 0 to 100.
    """

    rows: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    warnings: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    percents: Counter[int] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.rows += 1
        if outcome.fault is not None:
            self.errors[outcome.fault.code.value] += 1
            return
        self.verdicts[outcome.verdict] += 1
        self.warnings.update(outcome.warnings)
        self.percents[int(outcome.percent or 0.0)] += 1

    @property
    def failed(self) -> int:
        """Rows without a result."""
        return self.errors.total()

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what `as_data` gave.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: it is something else.
        """
        return cls(
            rows=int(data["rows"]),
            verdicts=Counter(data["verdicts"]),
            warnings=Counter({int(code): int(count) for code, count in data["warnings"].items()}),
            errors=Counter(data["errors"]),
            percents=Counter(dict(enumerate(data["percents"]))),
        )

    def as_data(self) -> dict[str, Any]:
        """Plain data, in an order that depends on nothing but the counts."""
        return {
            "rows": self.rows,
            "verdicts": {verdict: self.verdicts[verdict] for verdict in VERDICTS},
            "warnings": {str(code): self.warnings[code] for code in sorted(self.warnings)},
            "errors": {code: self.errors[code] for code in sorted(self.errors)},
            "percents": [self.percents[percent] for percent in range(101)],
        }
