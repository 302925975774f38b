"""Arrival times: a Poisson process whose rate changes with time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RateProfile:
    """A rate that is linear between points.

    Attributes:
        times: seconds, ascending, the first one 0.
        rates: requests a second at these times, 0 or more.
    """

    times: tuple[float, ...]
    rates: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """The end."""
        return self.times[-1]

    @property
    def expected(self) -> float:
        """Expected number of arrivals."""
        return float(np.trapezoid(self.rates, self.times))

    def rate(self, moment: float) -> float:
        """The rate at a time."""
        return float(np.interp(moment, self.times, self.rates))


def constant(rate: float, seconds: float) -> RateProfile:
    """The same rate all the time."""
    return RateProfile((0.0, seconds), (rate, rate))


def day(hourly: Sequence[float], mean_rate: float, seconds: float) -> RateProfile:
    """A whole day, pressed into `seconds`: each hour has its rate, with a ramp of a fifth of an hour to the next one.

    Queues settle within seconds, so a shorter day shows the same queues as long as an hour of it lasts far longer than
    that.

    Args:
        hourly: rate of each hour divided by the mean.
        mean_rate: requests a second.
        seconds: length of the day.
    """
    step, last = seconds / len(hourly), len(hourly) - 1
    points = [(0.0, mean_rate * hourly[0])]
    for hour, factor in enumerate(hourly):
        begin, end = (0.0 if hour == 0 else 0.1), (1.0 if hour == last else 0.9)
        points += [((hour + part) * step, mean_rate * factor) for part in (begin, end)]
    times, rates = zip(*dict(points).items(), strict=True)
    return RateProfile(times, rates)


def arrival_times(profile: RateProfile, source: np.random.Generator) -> NDArray[np.float64]:
    """Arrival times of one run, ascending.

    The number of arrivals is Poisson; given the number, the times are independent with the density of the rate. The
    rate is linear between points, so its integral is inverted exactly.
    """
    times, rates = np.asarray(profile.times), np.asarray(profile.rates)
    lengths = np.diff(times)
    areas = (rates[:-1] + rates[1:]) / 2.0 * lengths
    before = np.concatenate(([0.0], np.cumsum(areas)))
    count = int(source.poisson(before[-1]))
    drawn = np.sort(source.uniform(0.0, before[-1], count))
    part = np.clip(np.searchsorted(before, drawn, side="right") - 1, 0, len(areas) - 1)
    area, first = drawn - before[part], rates[part]
    slope = (rates[part + 1] - first) / lengths[part]
    # area = first * t + slope * t^2 / 2; this form of the root also holds for slope 0.
    root = np.sqrt(np.maximum(first**2 + 2.0 * slope * area, 0.0))
    with np.errstate(invalid="ignore"):
        inside = np.where(first + root > 0.0, 2.0 * area / (first + root), 0.0)
    return np.asarray(times[part] + inside, np.float64)
