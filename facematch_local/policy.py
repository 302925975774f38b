"""The policy: limits of the checks, and the warnings that follow from them. All limits are in `policy.toml`.

```toml
version = "18"

[portrait.crop]                 # role and name of the check
code = 12
min = 0.1                       # and/or max

[card.single_face]
code = 6
max = 0.25
ghost_percent = 46.0            # only here; 46 if the file omits it
```
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from facematch_local.checks import CHECKS, Measure, Role
from facematch_local.checks.examination import GHOST_PERCENT
from facematch_local.codes import WarningCode
from facematch_local.errors import PolicyError

DEFAULT_POLICY: Final = Path(__file__).with_name("policy.toml")

# The check that `ghost_percent` belongs to.
_GHOST_CHECK: Final = "single_face"
# Names of checks up to version 14, and their present names.
_RENAMED: Final[Mapping[str, str]] = {
    "face_found": "face_confidence",
    "second_face_ratio": "single_face",
    "hat": "head_covering",
    "face_height_ratio": "head_size",
    "margin": "crop",
    "document_colour": "photocopy, with max = 1 - min: the value is now the probability of a copy",
    "portrait_differs": "portrait_substitution",
    "text_differs": "text_alteration",
}


class Outcome(StrEnum):
    """Outcome of a measure under the policy."""

    PASSED = "passed"
    WARNING = "warning"
    NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True)
class Limit:
    """The range without a warning; the bounds are inside the range, None for an open end."""

    code: WarningCode
    minimum: float | None = None
    maximum: float | None = None

    def holds(self, value: float) -> bool:
        """Whether `value` is in the range."""
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True, slots=True)
class Finding:
    """A measure, its limit, and the outcome.

    Attributes:
        image: 1 or 2.
        name: name of the check.
        measure: the measure.
        limit: the policy's limit for it.
        outcome: passed, warning or not assessed.
    """

    image: int
    name: str
    measure: Measure
    limit: Limit
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Policy:
    """All limits of one version.

    Attributes:
        version: version of the policy file, stated in every detailed result.
        limits: limits by role, then by name of the check.
        ghost_percent: see `Examination`; part of `card.single_face`.
    """

    version: str
    limits: Mapping[Role, Mapping[str, Limit]]
    ghost_percent: float = GHOST_PERCENT

    def judge(self, image: int, role: Role, measures: Mapping[str, Measure]) -> tuple[Finding, ...]:
        """Compare the measures of one photo with the limits of its role; measures without a limit are omitted.

        Args:
            image: number of the photo, 1 or 2.
            role: role of the photo.
            measures: measures by name of the check.
        """
        limits = self.limits[role]
        return tuple(
            _finding(image, name, measure, limits[name]) for name, measure in measures.items() if name in limits
        )


def warnings(findings: Iterable[Finding]) -> tuple[WarningCode, ...]:
    """Codes of the warnings that apply, lowest first, which is the contract's order of precedence."""
    return tuple(sorted({f.limit.code for f in findings if f.outcome is Outcome.WARNING}))


def load_policy(path: Path = DEFAULT_POLICY) -> Policy:
    """Read a policy file.

    Raises:
        PolicyError: the file is missing, does not have the form of the shipped `policy.toml`, or has limits for unknown
            checks. The message names each wrong entry and the new name of a renamed check.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PolicyError(f"{path}: cannot be read as a policy file ({type(error).__name__}: {error})") from None
    if wrong := list(_unknown(content)):
        raise PolicyError(f"{path}: {'; '.join(wrong)}. {DEFAULT_POLICY} is an example of a valid file")
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:5])
        raise PolicyError(f"{path}: not a valid policy ({faults}). {DEFAULT_POLICY} is an example") from None
    limits = {
        role: MappingProxyType({name: Limit(limit.code, limit.min, limit.max) for name, limit in entries.items()})
        for role, entries in ((Role.PORTRAIT, file.portrait), (Role.CARD, file.card))
    }
    single_face = file.card.get(_GHOST_CHECK)
    ghost_percent = None if single_face is None else single_face.ghost_percent
    return Policy(
        str(file.version), MappingProxyType(limits), GHOST_PERCENT if ghost_percent is None else ghost_percent
    )


class _Limit(BaseModel):
    """One entry of a policy file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    code: WarningCode
    min: Annotated[float | None, Field(strict=True)] = None
    max: Annotated[float | None, Field(strict=True)] = None
    ghost_percent: Annotated[float | None, Field(strict=True, ge=0.0, le=100.0)] = None

    @model_validator(mode="after")
    def _has_sense(self) -> Self:
        if self.code is WarningCode.SUCCESSFUL:
            raise ValueError("code 0 means that there is no warning")
        if self.min is None and self.max is None:
            raise ValueError("a limit needs min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max, so every photo would raise the warning")
        return self


class _File(BaseModel):
    """A policy file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str | int | float
    portrait: dict[str, _Limit]
    card: dict[str, _Limit]


def _unknown(content: Mapping[str, Any]) -> Iterator[str]:
    """Messages about entries for unknown checks, and about entries in the form of version 14 or older."""
    for role in Role:
        entries = content.get(role)
        if not isinstance(entries, Mapping):
            continue  # the validation reports it
        names = [check.name for check in CHECKS[role]]
        for name, entry in entries.items():
            if name not in names:
                near = difflib.get_close_matches(name, names, 1)
                new = _RENAMED.get(name) or (near[0] if near else "")
                yield f"{role}.{name} is not a check" + (f"; write {role}.{new}" if new else "")
            elif isinstance(entry, Mapping) and {"head", "classical"} & set(entry):
                yield f"{role}.{name}: write head.min or head.max as min or max, and omit classical.*"
            elif isinstance(entry, Mapping) and "ghost_percent" in entry and (role, name) != (Role.CARD, _GHOST_CHECK):
                yield f"{role}.{name}: ghost_percent belongs to card.{_GHOST_CHECK} only"


def _finding(image: int, name: str, measure: Measure, limit: Limit) -> Finding:
    if measure.value is None:
        outcome = Outcome.NOT_ASSESSED
    else:
        outcome = Outcome.PASSED if limit.holds(measure.value) else Outcome.WARNING
    return Finding(image, name, measure, limit, outcome)
