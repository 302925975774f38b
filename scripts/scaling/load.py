"""The offered load: matches a second from a population, and the profile of a day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

SECONDS_A_DAY: Final = 86_400.0
DAYS_A_MONTH: Final = 365.25 / 12
_HOURS: Final = 24
# Where the peak hour lies; without effect on any result but the plot.
_PEAK_AT: Final = 10


@dataclass(frozen=True, slots=True)
class OfferedLoad:
    """People who let themselves be compared.

    Attributes:
        population: number of people.
        matches_a_month: of each, on average.
        peak_factor: rate of the busiest hour divided by the mean rate, from 1 to 24.
    """

    population: float
    matches_a_month: float
    peak_factor: float

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: a number is negative, not finite, or no hour can be so busy.
        """
        for name in ("population", "matches_a_month"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} is not a number of 0 or more")
        if not 1.0 <= self.peak_factor <= _HOURS:
            raise ValueError("peak_factor is not from 1 to 24: the busiest of 24 hours has 1 to 24 times the mean rate")

    @property
    def mean_rate(self) -> float:
        """Matches a second, averaged over the month."""
        return self.population * self.matches_a_month / DAYS_A_MONTH / SECONDS_A_DAY

    @property
    def peak_rate(self) -> float:
        """Matches a second in the busiest hour."""
        return self.mean_rate * self.peak_factor


def day_profile(peak_factor: float) -> tuple[float, ...]:
    """Rate of each of the 24 hours divided by the mean rate; the mean of the result is 1.

    One hour has the peak. The other hours share the rest: along a cosine with its top at the peak and a tenth of the
    top twelve hours later, or equally where the cosine would exceed the peak.

    Args:
        peak_factor: from 1 to 24.
    """
    rest = _HOURS - peak_factor
    bell = [1.2 + math.cos(2.0 * math.pi * (hour - _PEAK_AT) / _HOURS) for hour in range(_HOURS)]
    bell[_PEAK_AT] = 0.0
    scale = rest / sum(bell)
    fits = max(bell) * scale <= peak_factor
    others = [value * scale if fits else rest / (_HOURS - 1) for value in bell]
    return tuple(peak_factor if hour == _PEAK_AT else others[hour] for hour in range(_HOURS))
