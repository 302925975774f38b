"""What a check is: a named measure of one photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from facematch_local.checks.examination import Examination

NO_FACE: Final = "no face was found"
NO_NETWORK: Final = "the installation lacks the network for this check"


class Role(StrEnum):
    """What a photo is meant to show (`type1` of the contract)."""

    CARD = "card"
    PORTRAIT = "portrait"


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with a unit, or the reason why there is none.

    Attributes:
        value: the measured number; None when it could not be assessed (ISO/IEC 29794-5: failure to assess).
        unit: unit of `value`, "1" for ratios, probabilities and counts.
        reason: why it could not be assessed, "" when it was.
    """

    value: float | None
    unit: str = "1"
    reason: str = ""

    @classmethod
    def not_assessed(cls, reason: str, unit: str = "1") -> Measure:
        """A measure that could not be taken."""
        return cls(None, unit, reason)


@dataclass(frozen=True, slots=True)
class Check:
    """A named measure. The policy holds the limit for `name`.

    Attributes:
        name: key in the policy and in detailed results.
        measure: takes the measure. It raises nothing on purpose, and holds no limit.
        network: the field of `Networks` that it needs; without that network it is not assessed. None where it needs
            none.
    """

    name: str
    measure: Callable[[Examination], Measure]
    network: Literal["occlusion", "recapture", "document", "photocopy"] | None = None
