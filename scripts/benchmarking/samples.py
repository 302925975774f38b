"""What one measurement gave, and the figures of all rounds together."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np


class AbsentError(Exception):
    """Something cannot be measured here; the message says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One round at one point.

    Attributes:
        seconds: time of each comparison.
        wall: length of the round in seconds.
        cpu: CPU seconds of the process that compares, its children included.
        refused: requests that got 503.
        memory_mib: largest memory meanwhile; 0 if it was not measured.
    """

    seconds: tuple[float, ...]
    wall: float
    cpu: float
    refused: int = 0
    memory_mib: float = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of the table.

    Attributes:
        subject: what compares.
        way: how it is called: `call`, `json`, `multipart`, `url`, or a kind of refused request.
        clients: threads or clients that call at the same time.
        count: comparisons in all rounds.
        p50_ms, p95_ms, p99_ms: of all rounds together.
        rate: comparisons a second, median of the rounds.
        cpu_ms: CPU time of one comparison, median of the rounds.
        memory_mib: largest memory in any round; 0 if it was not measured.
        refused: requests that got 503.
        absent: why there are no figures; empty if there are.
    """

    subject: str
    way: str
    clients: int
    count: int = 0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    rate: float = 0.0
    cpu_ms: float = 0.0
    memory_mib: float = 0.0
    refused: int = 0
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """Something to measure repeatedly; `run` takes the seconds of a round."""

    subject: str
    way: str
    clients: int
    run: Callable[[float], Sample]


def figures_of(point: Point, samples: Sequence[Sample]) -> Figures:
    """The figures of all rounds at a point.

    Raises:
        ValueError: a round has no comparison.
    """
    if not all(one.seconds for one in samples) or not samples:
        raise ValueError(f"{point.subject}, {point.way}: no comparison ended")
    times = [1000.0 * seconds for one in samples for seconds in one.seconds]
    p50, p95, p99 = (round(float(value), 2) for value in np.quantile(times, (0.5, 0.95, 0.99)))
    return Figures(
        subject=point.subject,
        way=point.way,
        clients=point.clients,
        count=len(times),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        rate=round(statistics.median(len(one.seconds) / one.wall for one in samples), 2),
        cpu_ms=round(statistics.median(1000.0 * one.cpu / len(one.seconds) for one in samples), 2),
        memory_mib=round(max(one.memory_mib for one in samples), 1),
        refused=sum(one.refused for one in samples),
    )


def measure(
    points: Sequence[Point], rounds: int, seconds: float, tell: Callable[[str], object] = lambda _: None
) -> list[Figures]:
    """Measure all points in turn, round by round, so that changes of the machine meet all alike.

    Args:
        points: what to measure; each runs shortly before the first round, unmeasured.
        rounds: number of rounds.
        seconds: length of a round at one point.
        tell: called with a line of progress.
    """
    for point in points:
        point.run(0.2)
    samples: list[list[Sample]] = [[] for _ in points]
    for turn in range(rounds):
        # Every second round runs backwards: a point does not always follow the same one.
        order = range(len(points)) if turn % 2 == 0 else reversed(range(len(points)))
        for number in order:
            samples[number].append(points[number].run(seconds))
        tell(f"round {turn + 1} of {rounds}")
    return [figures_of(point, taken) for point, taken in zip(points, samples, strict=True)]


def absent(subject: str, way: str, reason: str) -> Figures:
    """The row of something that cannot be measured here."""
    return replace(Figures(subject, way, 0), absent=reason)
