"""Figures of a service between two snapshots."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from facematch_server.top.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Activity:
    """What a service did in a time.

    Attributes:
        seconds: length of the time.
        rate: answered comparisons a second.
        p50: seconds within which half of the comparisons were answered; None without a comparison.
        p99: the same for 99 of 100.
        outcomes: comparisons by (errorCode or HTTP status, invalidCode).
        cpus: CPUs in use on average.
        state: the later snapshot.
    """

    seconds: float
    rate: float
    p50: float | None
    p99: float | None
    outcomes: Mapping[tuple[str, str], float]
    cpus: float
    state: Snapshot
    buckets: Mapping[float, float] = field(default_factory=dict)

    @property
    def errors(self) -> float:
        """Comparisons without a result."""
        return sum(count for (error, _), count in self.outcomes.items() if error != "0")

    @property
    def warnings(self) -> float:
        """Comparisons with a warning."""
        return sum(count for (error, code), count in self.outcomes.items() if error == "0" and code not in ("", "0"))

    @property
    def answered(self) -> float:
        """All comparisons."""
        return sum(self.outcomes.values())


def activity(earlier: Snapshot | None, later: Snapshot) -> Activity:
    """The activity between two snapshots of one service.

    Args:
        earlier: None, or a snapshot of an earlier process: the activity since the start of the service.
        later: a later snapshot.
    """
    if earlier is None or _restarted(earlier, later):
        earlier = Snapshot(later.started or later.moment)
    seconds = max(later.moment - earlier.moment, 0.0)
    outcomes = {key: count - earlier.outcomes.get(key, 0.0) for key, count in later.outcomes.items()}
    outcomes = {key: count for key, count in outcomes.items() if count > 0}
    buckets = {bound: count - earlier.buckets.get(bound, 0.0) for bound, count in later.buckets.items()}
    return _activity(seconds, outcomes, buckets, later.cpu_seconds - earlier.cpu_seconds, later)


def total(activities: Sequence[Activity]) -> Activity:
    """The sum over several services; quantiles come from the sums of their histograms."""
    outcomes: Counter[tuple[str, str]] = Counter()
    buckets: Counter[float] = Counter()
    for each in activities:
        outcomes.update(each.outcomes)
        buckets.update(each.buckets)
    states = [each.state for each in activities]
    state = Snapshot(
        max((state.moment for state in states), default=0.0),
        in_flight=sum(state.in_flight for state in states),
        places=sum(state.places for state in states),
        waiting=sum(state.waiting for state in states),
        computing=sum(state.computing for state in states),
        memory_bytes=sum(state.memory_bytes for state in states),
    )
    return Activity(
        max((each.seconds for each in activities), default=0.0),
        sum(each.rate for each in activities),
        quantile(buckets, 0.5),
        quantile(buckets, 0.99),
        dict(outcomes),
        sum(each.cpus for each in activities),
        state,
        dict(buckets),
    )


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """A quantile of a histogram with cumulative counts, interpolated within a bucket as Prometheus does.

    Args:
        buckets: counts of values up to each bound; the largest bound is infinite.
        share: between 0 and 1.

    Returns:
        None without a value; the largest finite bound if the quantile is beyond it.
    """
    bounds = sorted(buckets)
    if not bounds or buckets[bounds[-1]] <= 0:
        return None
    wanted = share * buckets[bounds[-1]]
    low, below = 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= wanted:
            if math.isinf(bound):
                return low
            within = buckets[bound] - below
            return low + (bound - low) * ((wanted - below) / within if within else 1.0)
        low, below = bound, buckets[bound]
    return low


def _activity(
    seconds: float,
    outcomes: Mapping[tuple[str, str], float],
    buckets: Mapping[float, float],
    cpu_seconds: float,
    state: Snapshot,
) -> Activity:
    answered = sum(outcomes.values())
    return Activity(
        seconds,
        answered / seconds if seconds else 0.0,
        quantile(buckets, 0.5),
        quantile(buckets, 0.99),
        outcomes,
        cpu_seconds / seconds if seconds else 0.0,
        state,
        buckets,
    )


def _restarted(earlier: Snapshot, later: Snapshot) -> bool:
    if earlier.started != later.started:
        return True
    return any(later.outcomes.get(key, 0.0) < count for key, count in earlier.outcomes.items())
