"""The simulations of docs/scaling.md, and their results as data: `simulated.json`."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import TypeAdapter

from scripts.scaling.figures import FIGURES, Figures, read_json
from scripts.scaling.load import OfferedLoad, day_profile
from scripts.scaling.queueing import Queue, response_quantile
from scripts.scaling.simulation.arrivals import constant, day
from scripts.scaling.simulation.calibration import calibrate
from scripts.scaling.simulation.run import simulate
from scripts.scaling.simulation.scenario import Balancing, DatabaseSettings, Loss, Outcome, RollingUpdate, Scenario
from scripts.scaling.simulation.validation import Compared, validate
from scripts.scaling.sizing import CORES_A_SERVICE, MachineType, Targets, size

SIMULATED: Final = Path(__file__).with_name("simulated.json")
PACK: Final = "standard"
COUNTRY: Final = OfferedLoad(100e6, 1.0, 10.0)
MACHINE: Final = MachineType(16, 32.0)
TARGETS: Final = Targets()
_BALANCER_BITS: Final = 10e9
# Between service and database, in one data centre.
_NETWORK_SECONDS: Final = 0.0005
# A pressed day lasts 24 of these.
_SECONDS_AN_HOUR: Final = 60.0
_WINDOWS: Final = 96
_OVERLOAD: Final = 1.3
_BALANCERS: Final[tuple[Balancing, ...]] = ("random", "machine", "least")


@dataclass(frozen=True, slots=True)
class Result:
    """One simulated run.

    Attributes:
        name: what is simulated.
        cores: of all services.
        rate: arrivals a second.
        requests: simulated.
        p50_ms, p99_ms: of answered requests.
        model_p99_ms: what the model says for one queue over all cores; None where it does not apply.
        refused, failed: shares.
        bottleneck: the resource with the highest utilisation.
        utilisation: its utilisation.
    """

    name: str
    cores: int
    rate: float
    requests: int
    p50_ms: float
    p99_ms: float
    model_p99_ms: float | None
    refused: float
    failed: float
    bottleneck: str
    utilisation: float


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the simulated day: the hour of its middle, arrivals a second, response times, share of 503.

    The response times are None where nobody was answered.
    """

    hour: float
    rate: float
    p50_ms: float | None
    p99_ms: float | None
    refused: float


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """p99 of ten machines by utilisation; model_ms is that of one queue over all cores."""

    utilisation: float
    random_ms: float
    machine_ms: float
    least_ms: float
    model_ms: float


@dataclass(frozen=True, slots=True)
class Simulated:
    """All results, and the SHA-256 of the figures that they come from."""

    figures: str
    validation: tuple[Compared, ...]
    results: tuple[Result, ...]
    day: tuple[Window, ...]
    curve: tuple[CurvePoint, ...]


def run_all(figures: Figures, digest: str) -> Simulated:
    """Run every simulation; takes some two minutes."""
    return Simulated(
        figures=digest,
        validation=tuple(one for pack in figures.packs for one in validate(pack, figures.conditions.rounds)),
        results=tuple(result(*experiment) for experiment in experiments(figures)),
        day=tuple(_day(figures)),
        curve=tuple(_curve(figures)),
    )


def experiments(figures: Figures) -> Iterator[tuple[str, Scenario, bool]]:
    """Name, scenario, and whether the model's one queue describes it."""
    yield "one core", _cores_only(figures, 1, 1, 600.0, cores=1), True
    machine = _cores_only(figures, 1, 8, 300.0)
    yield "one machine, least connections", machine, True
    over = replace(machine, profile=constant(1.3 / 0.7 * machine.profile.rates[0], 120.0))
    yield "one machine, 1.3 times its capacity", over, False
    yield "one machine, uploads of 5 s hold slots", replace(machine, upload_seconds=5.0), False
    ten = _cores_only(figures, 10, 8, 60.0)
    yield "ten machines, least connections", ten, True
    yield "ten machines, chosen by least connections, processes at random", replace(ten, balancer="machine"), False
    yield "ten machines, random", replace(ten, balancer="random"), False
    yield "ten machines, one fails", replace(ten, loss=Loss(20.0, 3)), False
    yield "ten machines, rolling update", replace(ten, update=RollingUpdate(1.0, 3.0, 3.0)), False
    few = _machines_for(_OVERLOAD * figures.database("postgresql").most(1), figures)
    one_key = _shared(figures, few, 30.0, keys=1, database_cores=16, bits=10 * _BALANCER_BITS)
    yield "one API key, 1.3 times what its counter takes", one_key, False
    few = _machines_for(_OVERLOAD * _BALANCER_BITS / 8.0 / figures.request_bytes, figures)
    one_balancer = _shared(figures, few, 60.0, keys=100, database_cores=16, bits=_BALANCER_BITS)
    yield "one balancer, 1.3 times what its network takes", one_balancer, False
    hundred = _shared(figures, 100, 30.0, keys=100, database_cores=4, bits=20 * _BALANCER_BITS)
    yield "100 machines, PostgreSQL on 4 cores", hundred, False
    yield (
        "250 machines, four PostgreSQL of 16 cores",
        _shared(figures, 250, 60.0, keys=1000, database_cores=64, bits=50 * _BALANCER_BITS),
        True,
    )


def result(name: str, scenario: Scenario, modelled: bool) -> Result:
    """Run one experiment."""
    outcome = simulate(scenario)
    rate = scenario.profile.rates[0]
    slowdown = scenario.service.slowdown / scenario.service.efficiency
    queue = Queue(scenario.cores, rate, tuple(value * slowdown for value in scenario.work))
    return Result(
        name=name,
        cores=scenario.cores,
        rate=round(rate, 1),
        requests=len(outcome.arrived),
        p50_ms=round(outcome.quantile_ms(0.5), 1),
        p99_ms=round(outcome.quantile_ms(0.99), 1),
        model_p99_ms=round(1000.0 * response_quantile(queue), 1) if modelled else None,
        refused=float(np.mean(outcome.refused)),
        failed=float(np.mean(outcome.failed)),
        bottleneck=outcome.bottleneck,
        utilisation=round(float(outcome.utilisation[outcome.bottleneck]), 3),
    )


def _machines_for(rate: float, figures: Figures) -> int:
    """Machines that answer so many requests a second at the target utilisation, at least one."""
    one = _cores_only(figures, 1, MACHINE.cores // CORES_A_SERVICE, 1.0)
    return max(round(rate / one.profile.rates[0]), 1)


def digest_of(path: Path = FIGURES) -> str:
    """SHA-256 of the figures."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_simulated(path: Path = SIMULATED) -> Simulated:
    """Read the results.

    Raises:
        FiguresError: they are missing or of another form.
    """
    return read_json(Simulated, path, "report")


def write_simulated(simulated: Simulated, path: Path = SIMULATED) -> None:
    """Write the results as JSON."""
    path.write_bytes(TypeAdapter(Simulated).dump_json(simulated, indent=1) + b"\n")


def _cores_only(
    figures: Figures, machines: int, services: int, seconds: float, cores: int = CORES_A_SERVICE
) -> Scenario:
    """Nothing but the cores bounds the rate; they are busy for the target utilisation."""
    found = calibrate(figures.pack(PACK), cores)
    work = float(np.mean(found.work)) * found.service.slowdown / found.service.efficiency
    rate = TARGETS.utilisation * machines * services * cores / work
    return Scenario(
        profile=constant(rate, seconds),
        work=found.work,
        machines=machines,
        services_a_machine=services,
        service=found.service,
        fixed_seconds=found.fixed_seconds,
    )


def _shared(
    figures: Figures, machines: int, seconds: float, *, keys: int, database_cores: int, bits: float
) -> Scenario:
    """The same with a database and a balancer's network."""
    return replace(
        _cores_only(figures, machines, MACHINE.cores // CORES_A_SERVICE, seconds),
        database=database_settings(figures, keys, database_cores),
        link_bits=bits,
        request_bytes=figures.request_bytes,
        reply_bytes=figures.reply_bytes,
    )


def database_settings(figures: Figures, keys: int, cores: int) -> DatabaseSettings:
    """PostgreSQL as measured: its CPU time a match, and the time for which a commit holds the counter of a key."""
    measured = figures.database("postgresql")
    half = measured.server_cpu_ms / 2000.0
    return DatabaseSettings(
        cores=cores,
        keys=keys,
        pool=max(measured.connections, 1),
        network_seconds=_NETWORK_SECONDS * measured.round_trips_quota / 2.0,
        admit_seconds=half,
        commit_seconds=half,
        hold_seconds=1.0 / measured.most(1),
    )


def _day(figures: Figures) -> Iterator[Window]:
    """A day of the country, on the machines that the model gives, one of them missing."""
    sizing = size(COUNTRY, figures, PACK, MACHINE, TARGETS)
    seconds = 24.0 * _SECONDS_AN_HOUR
    base = _shared(figures, sizing.machines_needed, seconds, keys=100, database_cores=16, bits=_BALANCER_BITS)
    outcome: Outcome = simulate(
        replace(base, profile=day(day_profile(COUNTRY.peak_factor), COUNTRY.mean_rate, seconds))
    )
    width = seconds / _WINDOWS
    for number in range(_WINDOWS):
        since, before = number * width, (number + 1) * width
        arrived = np.count_nonzero((outcome.arrived >= since) & (outcome.arrived < before))
        yield Window(
            hour=(number + 0.5) * 24.0 / _WINDOWS,
            rate=round(float(arrived) / width, 2),
            p50_ms=_finite(outcome.quantile_ms(0.5, since, before)),
            p99_ms=_finite(outcome.quantile_ms(0.99, since, before)),
            refused=round(outcome.refused_share(since, before), 4),
        )


def _finite(milliseconds: float) -> float | None:
    return round(milliseconds, 1) if math.isfinite(milliseconds) else None


def _curve(figures: Figures) -> Iterator[CurvePoint]:
    base = _cores_only(figures, 10, MACHINE.cores // CORES_A_SERVICE, 30.0)
    full = base.profile.rates[0] / TARGETS.utilisation
    for utilisation in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95):
        at = replace(base, profile=constant(utilisation * full, 30.0))
        random, machine, least = (round(simulate(replace(at, balancer=way)).quantile_ms(0.99), 1) for way in _BALANCERS)
        work = tuple(value * at.service.slowdown / at.service.efficiency for value in at.work)
        model = round(1000.0 * response_quantile(Queue(at.cores, utilisation * full, work)), 1)
        yield CurvePoint(utilisation, random, machine, least, model)
