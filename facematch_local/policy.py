"""Thresholds, and from measures to warnings. The numbers stand in `policy.toml`, nowhere else."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from facematch_local.checks.base import Measure, Role
from facematch_local.codes import WarningCode
from facematch_local.errors import PolicyError

DEFAULT_POLICY: Final = Path(__file__).with_name("policy.toml")


class Outcome(StrEnum):
    """What the policy makes of a measure."""

    PASSED = "passed"
    WARNING = "warning"
    NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True)
class Limit:
    """The range in which a measure raises no warning; bounds included, None where open."""

    code: WarningCode
    minimum: float | None = None
    maximum: float | None = None

    def holds(self, value: float) -> bool:
        """Whether `value` lies in the range."""
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True, slots=True)
class Finding:
    """A measure, the limit it was held against, and the outcome.

    Attributes:
        image: 1 or 2.
        name: name of the check.
        measure: what was measured.
        limit: what the policy asks.
        outcome: passed, warning or not assessed.
    """

    image: int
    name: str
    measure: Measure
    limit: Limit
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Policy:
    """All thresholds of one version."""

    version: str
    limits: Mapping[Role, Mapping[str, Limit]]

    def judge(self, image: int, role: Role, measures: Mapping[str, Measure]) -> tuple[Finding, ...]:
        """Hold the measures of one photo against the limits for its role.

        Measures without a limit are left out: the policy does not ask for them.
        """
        limits = self.limits[role]
        return tuple(
            _finding(image, name, measure, limits[name]) for name, measure in measures.items() if name in limits
        )


def warnings(findings: Iterable[Finding]) -> tuple[WarningCode, ...]:
    """The codes that hold, lowest first: the contract's precedence."""
    return tuple(sorted({f.limit.code for f in findings if f.outcome is Outcome.WARNING}))


def load_policy(path: Path = DEFAULT_POLICY) -> Policy:
    """Read a policy file.

    Raises:
        PolicyError: the file is missing or does not have the form of the shipped `policy.toml`.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        limits = {
            role: MappingProxyType({name: _limit(entry) for name, entry in content[role].items()}) for role in Role
        }
        return Policy(str(content["version"]), MappingProxyType(limits))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PolicyError(f"{path}: not a policy file ({type(error).__name__}: {error})") from None


def _finding(image: int, name: str, measure: Measure, limit: Limit) -> Finding:
    if measure.value is None:
        outcome = Outcome.NOT_ASSESSED
    else:
        outcome = Outcome.PASSED if limit.holds(measure.value) else Outcome.WARNING
    return Finding(image, name, measure, limit, outcome)


def _limit(entry: Mapping[str, Any]) -> Limit:
    unknown = set(entry) - {"code", "min", "max"}
    if unknown or not {"min", "max"} & set(entry):
        raise ValueError(f"a limit has code, min and/or max, not {sorted(entry)}")
    return Limit(
        code=WarningCode(entry["code"]),
        minimum=float(entry["min"]) if "min" in entry else None,
        maximum=float(entry["max"]) if "max" in entry else None,
    )
