"""API keys that name a scenario.

Such a key is `scenario-` and parts joined by `+`:

```
success                              a match of 87.42 percent
error-1 ... error-6                  that errorCode
warning-1 ... warning-12             that invalidCode; several can be joined
matching-74.99                       that percentage
slow-5s                              a delayed reply (up to 120 seconds)
http-429, -500, -502, -503, -504     that HTTP status
malformed-json, empty-body, connection-lost   a reply cut in half, without a body, or never completed
documented, observed                 the wire profile, instead of the server's
```
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from facematch_local.codes import ErrorCode, WarningCode
from facematch_server.wire.profile import Profile

PREFIX: Final = "scenario-"
MAX_SECONDS: Final = 120.0
# `matching` where the key names no percentage.
DEFAULT_PERCENT: Final = 87.42

# Longer than every sensible key: each part costs a dozen patterns, on the event loop.
_LONGEST_NAME: Final = 256


class Breakage(StrEnum):
    """How a reply is broken."""

    MALFORMED_JSON = "malformed-json"
    EMPTY_BODY = "empty-body"
    CONNECTION_LOST = "connection-lost"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fixed outcome.

    Attributes:
        name: the API key.
        error: `errorCode` of the reply.
        warnings: the warnings of the reply, lowest first.
        percent: `matching` of the reply.
        seconds: delay of the reply.
        status: HTTP status of the reply, instead of that of the outcome.
        breakage: how the reply is broken.
        profile: wire profile of the reply; None for the server's.
    """

    name: str
    error: ErrorCode | None = None
    warnings: tuple[WarningCode, ...] = ()
    percent: float | None = None
    seconds: float = 0.0
    status: int | None = None
    breakage: Breakage | None = None
    profile: Profile | None = None

    @property
    def consistent(self) -> bool:
        """Whether one reply can have all parts: an error has no percentage, a proxy's page has no errorCode."""
        compares = bool(self.warnings) or self.percent is not None
        return (self.error is not None) + (self.status is not None) + compares <= 1


def parse_scenario(api_key: str) -> Scenario | None:
    """The scenario that an API key names; None if the key names none or is inconsistent."""
    if not api_key.startswith(PREFIX) or len(api_key) > _LONGEST_NAME:
        return None
    scenario = Scenario(api_key)
    for part in api_key.removeprefix(PREFIX).split("+"):
        found = _with_part(scenario, part)
        if found is None:
            return None
        scenario = found
    return scenario if scenario.consistent else None


def _with_part(scenario: Scenario, part: str) -> Scenario | None:
    for pattern, apply in _PARTS.items():
        if match := re.fullmatch(pattern, part):
            return apply(scenario, match.group(1))
    return None


def _with_seconds(scenario: Scenario, text: str) -> Scenario | None:
    seconds = float(text)
    return replace(scenario, seconds=seconds) if seconds <= MAX_SECONDS else None


def _with_percent(scenario: Scenario, text: str) -> Scenario | None:
    percent = float(text)
    return replace(scenario, percent=percent) if percent <= 100 else None


def _with_warning(scenario: Scenario, text: str) -> Scenario | None:
    return replace(scenario, warnings=tuple(sorted({*scenario.warnings, WarningCode(int(text))})))


_PARTS: Final[Mapping[str, Callable[[Scenario, str], Scenario | None]]] = {
    "(success)": lambda scenario, _: replace(scenario, percent=DEFAULT_PERCENT),
    "error-([1-6])": lambda scenario, text: replace(scenario, error=ErrorCode(int(text))),
    "warning-([1-9]|1[0-2])": _with_warning,
    r"matching-([0-9]{1,3}(?:\.[0-9]{1,2})?)": _with_percent,
    r"slow-([0-9]{1,3}(?:\.[0-9])?)s": _with_seconds,
    "http-(429|500|502|503|504)": lambda scenario, text: replace(scenario, status=int(text)),
    "(malformed-json|empty-body|connection-lost)": lambda scenario, text: replace(scenario, breakage=Breakage(text)),
    "(documented|observed)": lambda scenario, text: replace(scenario, profile=Profile(text)),
}
