"""The simulation against the measurement: Poisson arrivals on one and on two cores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scripts.scaling.figures import LoadPoint, PackFigures
from scripts.scaling.simulation.arrivals import constant
from scripts.scaling.simulation.calibration import calibrate
from scripts.scaling.simulation.run import simulate
from scripts.scaling.simulation.scenario import Outcome, Scenario

# A long run for the expectation, and short ones as long as the measurement for its spread.
_LONG = 20_000
_RUNS = 40


@dataclass(frozen=True, slots=True)
class Compared:
    """A measured load and its simulation.

    Attributes:
        pack: its name.
        cores: of the service.
        rate: arrivals a second.
        requests: measured.
        throughput, p50_ms, p99_ms: measured and simulated.
        p99_range: that 95 of 100 simulated runs as long as the measurement give.
        refused: shares, measured and simulated.
    """

    pack: str
    cores: int
    rate: float
    requests: int
    throughput: tuple[float, float]
    p50_ms: tuple[float, float]
    p99_ms: tuple[float, float]
    p99_range: tuple[float, float]
    refused: tuple[float, float]

    @property
    def inside(self) -> bool:
        """Whether the measured p99 is one that the simulation also gives."""
        return self.p99_range[0] <= self.p99_ms[0] <= self.p99_range[1]


def validate(pack: PackFigures, rounds: int) -> list[Compared]:
    """Simulate every measured open loop of a pack.

    Args:
        pack: its figures.
        rounds: in which each load was measured; each began with an idle service.
    """
    return [_compare(pack, point, rounds) for point in pack.points if point.arrivals == "open"]


def _compare(pack: PackFigures, point: LoadPoint, rounds: int) -> Compared:
    seconds = point.requests / point.rate / rounds
    # A round starts idle and stops at its end: in overload the queue fills within it. So all runs are as short.
    count = max(_LONG // max(round(point.rate * seconds), 1), _RUNS * rounds)
    outcomes = [_run(pack, point, seconds, seed) for seed in range(count)]
    groups = [outcomes[start : start + rounds] for start in range(0, count - rounds + 1, rounds)]
    p99 = [_quantile(group, 0.99) for group in groups if any(outcome.answered for outcome in group)]
    return Compared(
        pack=pack.pack,
        cores=point.cores,
        rate=point.rate,
        requests=point.requests,
        throughput=(point.throughput, _rate(outcomes)),
        p50_ms=(point.p50_ms, _quantile(outcomes, 0.5)),
        p99_ms=(point.p99_ms, _quantile(outcomes, 0.99)),
        p99_range=(float(np.quantile(p99, 0.025)), float(np.quantile(p99, 0.975))),
        refused=(point.refused / point.requests, _refused(outcomes)),
    )


def _run(pack: PackFigures, point: LoadPoint, seconds: float, seed: int) -> Outcome:
    found = calibrate(pack, point.cores, with_clients=point.cores > 1)
    return simulate(
        Scenario(
            profile=constant(point.rate, seconds),
            work=found.work,
            service=found.service,
            fixed_seconds=found.fixed_seconds,
            seed=seed,
        )
    )


def _answered(outcomes: list[Outcome]) -> np.ndarray:
    return np.concatenate([outcome.response[~np.isnan(outcome.response)] for outcome in outcomes])


def _quantile(outcomes: list[Outcome], share: float) -> float:
    answered = _answered(outcomes)
    return 1000.0 * float(np.quantile(answered, share)) if len(answered) else float("nan")


def _rate(outcomes: list[Outcome]) -> float:
    ends = [float(np.nanmax(one.arrived + one.response)) for one in outcomes if one.answered]
    return sum(one.answered for one in outcomes) / sum(ends) if ends else 0.0


def _refused(outcomes: list[Outcome]) -> float:
    return sum(int(one.refused.sum()) for one in outcomes) / max(sum(len(one.arrived) for one in outcomes), 1)
