"""Simulate a number of machines under a load, or the measured loads to compare.

    python -m scripts.scaling.simulate --machines 10 --rate 700
    python -m scripts.scaling.simulate --machines 5 --population 100e6 --peak 10 --day
    python -m scripts.scaling.simulate --machines 10 --rate 700 --balancer random --lose-at 20 --keys 1
    python -m scripts.scaling.simulate --validate

The service times are those of `figures.json`. Equal arguments give equal results (`--seed`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.scaling.experiments import database_settings
from scripts.scaling.figures import FIGURES, Figures, FiguresError, read_figures
from scripts.scaling.load import OfferedLoad, day_profile
from scripts.scaling.simulation.arrivals import RateProfile, constant, day
from scripts.scaling.simulation.calibration import calibrate
from scripts.scaling.simulation.run import simulate
from scripts.scaling.simulation.scenario import Loss, Outcome, RollingUpdate, Scenario
from scripts.scaling.simulation.validation import validate
from scripts.scaling.sizing import CORES_A_SERVICE
from scripts.scaling.tables import validation_table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _options(arguments)
    try:
        figures = read_figures(options.figures)
        if options.validate:
            compared = [one for pack in figures.packs for one in validate(pack, figures.conditions.rounds)]
            print(validation_table(compared))
            return 0
        scenario = _scenario(options, figures)
    except (FiguresError, ValueError) as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 2
    print(_text(simulate(scenario), scenario))
    return 0


def _scenario(options: argparse.Namespace, figures: Figures) -> Scenario:
    if options.machines < 1 or options.cores < CORES_A_SERVICE or options.seconds <= 0:
        raise ValueError(f"needs a machine, {CORES_A_SERVICE} cores in it, and some seconds")
    found = calibrate(figures.pack(options.pack), CORES_A_SERVICE)
    update = None if options.update_at is None else RollingUpdate(options.update_at, 3.0, 3.0)
    return Scenario(
        profile=_profile(options),
        work=found.work,
        machines=options.machines,
        services_a_machine=options.cores // CORES_A_SERVICE,
        service=found.service,
        balancer=options.balancer,
        database=database_settings(figures, options.keys, options.database_cores),
        fixed_seconds=found.fixed_seconds,
        link_bits=1e9 * options.balancer_gbit,
        request_bytes=figures.request_bytes,
        reply_bytes=figures.reply_bytes,
        upload_seconds=options.upload,
        loss=None if options.lose_at is None else Loss(options.lose_at, 0),
        update=update,
        seed=options.seed,
    )


def _profile(options: argparse.Namespace) -> RateProfile:
    if options.rate is not None:
        if options.rate <= 0:
            raise ValueError("the rate is not above 0")
        return constant(options.rate, options.seconds)
    load = OfferedLoad(options.population, options.matches_a_month, options.peak)
    if options.day:
        return day(day_profile(load.peak_factor), load.mean_rate, options.seconds)
    return constant(load.peak_rate, options.seconds)


def _text(outcome: Outcome, scenario: Scenario) -> str:
    refused, failed = int(np.sum(outcome.refused)), int(np.sum(outcome.failed))
    lines = [
        f"{scenario.cores} cores, {len(outcome.arrived)} requests in {scenario.profile.seconds:g} s",
        f"answered {outcome.answered}, refused (503) {refused}, lost with a machine {failed}",
        f"p50 {outcome.quantile_ms(0.5):.0f} ms, p99 {outcome.quantile_ms(0.99):.0f} ms",
        *(f"  {share:6.1%}  {name}" for name, share in outcome.utilisation.items()),
        f"fullest: {outcome.bottleneck}",
    ]
    return "\n".join(lines)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    name, described = "python -m scripts.scaling.simulate", argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(name, description=__doc__, formatter_class=described)
    parser.add_argument("--validate", action="store_true", help="simulate the measured loads, and compare")
    parser.add_argument("--pack", default="standard", help="model pack")
    parser.add_argument("--machines", type=int, default=1, help="number of machines")
    parser.add_argument("--cores", type=int, default=16, help="cores of each")
    parser.add_argument("--rate", type=float, help="arrivals a second, instead of a population")
    parser.add_argument("--population", type=float, default=100e6, help="number of people")
    parser.add_argument("--matches-a-month", type=float, default=1.0, help="of each of them")
    parser.add_argument("--peak", type=float, default=10.0, help="rate of the busiest hour divided by the mean rate")
    parser.add_argument("--day", action="store_true", help="a whole day, pressed into the seconds; else the peak hour")
    parser.add_argument("--seconds", type=float, default=60.0, help="simulated time")
    parser.add_argument("--balancer", choices=("least", "machine", "random"), default="least", help="how it chooses")
    parser.add_argument("--keys", type=int, default=100, help="API keys with traffic")
    parser.add_argument("--database-cores", type=int, default=16, help="cores of PostgreSQL")
    parser.add_argument("--balancer-gbit", type=float, default=10.0, help="of its network; 0: without limit")
    parser.add_argument("--upload", type=float, default=0.0, help="seconds of an upload that holds a slot")
    parser.add_argument("--lose-at", type=float, help="a machine fails then")
    parser.add_argument("--update-at", type=float, help="a rolling update begins then")
    parser.add_argument("--seed", type=int, default=1, help="of the random choices")
    parser.add_argument("--figures", type=Path, default=FIGURES, help="measured figures")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
