"""The types of a check: a named measure of one photo."""

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
    """Purpose of a photo: identity card or portrait (`type1` of the contract)."""

    CARD = "card"
    PORTRAIT = "portrait"


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with a unit, or the reason why the check was not assessed.

    Attributes:
        value: the measured number; None if the check was not assessed (ISO/IEC 29794-5: failure to assess).
        unit: unit of `value`; "1" for ratios, probabilities and counts, else "px", "IED" (inter-eye distances),
            "grey levels" or "bit".
        reason: why the check was not assessed; "" if it was.
    """

    value: float | None
    unit: str = "1"
    reason: str = ""

    @classmethod
    def not_assessed(cls, reason: str, unit: str = "1") -> Measure:
        """The measure of a check that was not assessed."""
        return cls(None, unit, reason)


@dataclass(frozen=True, slots=True)
class Check:
    """A named measure. The policy holds the limit for `name`.

    Attributes:
        name: key in the policy and in detailed results.
        measure: function that measures the photo. It must not raise exceptions and does not apply a limit.
        network: field of `Networks` that the check needs; without that network the check is not assessed. None for a
            check without a network.
    """

    name: str
    measure: Callable[[Examination], Measure]
    network: Literal["occlusion", "recapture", "document", "photocopy"] | None = None
