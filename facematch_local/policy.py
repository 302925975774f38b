"""Thresholds, and from measures to warnings. The numbers stand in `policy.toml`, nowhere else.

```toml
[portrait.margin]               # role and name of the check
code = 12
min = 0.0                       # and/or max

[portrait.mask]                 # a check with two ways to measure has a limit for each
code = 9
head.max = 0.5
classical.max = 0.9
```
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from facematch_local.checks import CHECKS, Measure, Role
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
    """All thresholds of one version.

    Attributes:
        version: of the file, printed with every detailed result.
        limits: by role, then by name of the check and method: `"margin"`, `"mask.head"`.
    """

    version: str
    limits: Mapping[Role, Mapping[str, Limit]]

    def judge(self, image: int, role: Role, measures: Mapping[str, Measure]) -> tuple[Finding, ...]:
        """Hold the measures of one photo against the limits for its role.

        Measures without a limit are left out: the policy does not ask for them.
        """
        limits = self.limits[role]
        asked = ((name, measure, limits.get(_key(name, measure.method))) for name, measure in measures.items())
        return tuple(_finding(image, name, measure, limit) for name, measure, limit in asked if limit is not None)


def warnings(findings: Iterable[Finding]) -> tuple[WarningCode, ...]:
    """The codes that hold, lowest first: the contract's precedence."""
    return tuple(sorted({f.limit.code for f in findings if f.outcome is Outcome.WARNING}))


def load_policy(path: Path = DEFAULT_POLICY) -> Policy:
    """Read a policy file.

    Raises:
        PolicyError: the file is missing, does not have the form of the shipped `policy.toml`, or has limits that do not
            fit the checks of this version.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        limits = {
            role: MappingProxyType(
                {key: limit for name, entry in content[role].items() for key, limit in _limits(name, entry)}
            )
            for role in Role
        }
        policy = Policy(str(content["version"]), MappingProxyType(limits))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise PolicyError(f"{path}: not a policy file ({type(error).__name__}: {error})") from None
    if misfits := list(_misfits(limits)):
        raise PolicyError(
            f"{path}: version {policy.version} does not fit the checks of this version: {'; '.join(misfits)}. "
            f"Change these entries to be like those of {DEFAULT_POLICY}"
        )
    return policy


def _finding(image: int, name: str, measure: Measure, limit: Limit) -> Finding:
    if measure.value is None:
        outcome = Outcome.NOT_ASSESSED
    else:
        outcome = Outcome.PASSED if limit.holds(measure.value) else Outcome.WARNING
    return Finding(image, name, measure, limit, outcome)


def _key(name: str, method: str) -> str:
    return f"{name}.{method}" if method else name


def _misfits(limits: Mapping[Role, Mapping[str, Limit]]) -> Iterator[str]:
    """Limits that no measure would meet, and ways to measure what is asked that have none. A check may be left out."""
    for role, found in limits.items():
        keys = {check.name: {_key(check.name, method) for method in check.methods} for check in CHECKS[role]}
        named = {key.partition(".")[0] for key in found}
        needed = {key for name, ways in keys.items() if name in named for key in ways}
        yield from (f"{role}.{key} has no limit" for key in sorted(needed - found.keys()))
        yield from (f"{role}.{key} is not measured" for key in sorted(found.keys() - needed))


def _limits(name: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, Limit]]:
    code = WarningCode(entry["code"])
    if code is WarningCode.SUCCESSFUL:
        raise ValueError(f"{name}: code 0 means that there is no warning")
    bounds = {key: value for key, value in entry.items() if key != "code"}
    methods = {key: value for key, value in bounds.items() if isinstance(value, Mapping)}
    if methods and methods.keys() != bounds.keys():
        raise ValueError(f"{name}: bounds are stated once or by method, not both")
    for method, own in methods.items() if methods else [("", bounds)]:
        if not own or set(own) - {"min", "max"}:
            raise ValueError(f"{name}: a limit has min and/or max, not {sorted(own)}")
        bounds_of = {bound: _bound(name, value) for bound, value in own.items()}
        if bounds_of.get("min", -math.inf) > bounds_of.get("max", math.inf):
            raise ValueError(f"{name}: min is above max, so everything would be warned of")
        yield _key(name, method), Limit(code, bounds_of.get("min"), bounds_of.get("max"))


def _bound(name: str, value: Any) -> float:
    # TOML knows nan and inf, and Python takes true for a number.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name}: a bound is a finite number, not {value!r}")
    return float(value)
