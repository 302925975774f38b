"""What a load needs: cores, machines, database, network, storage.

    python -m scripts.scaling.model --population 100e6 --pack standard
    python -m scripts.scaling.model --population 2e6 --matches-a-month 0.5 --peak 6 --cores 8 --memory 16 --lost 2
    python -m scripts.scaling.model --pairs 10e6 --hours 62        # a list for `facematch batch`

The figures come from `figures.json`; `--figures` takes those of your machines (`python -m scripts.scaling.measure`).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.scaling.bottlenecks import shared_resources
from scripts.scaling.figures import FIGURES, Figures, FiguresError, read_figures
from scripts.scaling.load import OfferedLoad
from scripts.scaling.sizing import BatchSizing, MachineType, Sizing, SizingError, Targets, size, size_batch


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _options(arguments)
    try:
        machine = MachineType(options.cores, options.memory)
        figures = read_figures(options.figures)
        if options.pairs is not None:
            batch = size_batch(options.pairs, options.hours, figures, options.pack, machine)
            print(json.dumps(dataclasses.asdict(batch), indent=1) if options.json else _batch_text(batch))
            return 0
        load = OfferedLoad(options.population, options.matches_a_month, options.peak)
        targets = Targets(options.utilisation, options.p99, options.lost)
        sizing = size(load, figures, options.pack, machine, targets)
    except (FiguresError, SizingError, ValueError) as error:
        print(f"model: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(dataclasses.asdict(sizing), indent=1))
    else:
        print(_text(sizing, machine, targets))
        print(_shared_text(sizing, figures, options.pack, targets))
    return 0


def _text(sizing: Sizing, machine: MachineType, targets: Targets) -> str:
    lost = targets.lost_machines
    return "\n".join(
        (
            f"load         {sizing.mean_rate:.1f} matches a second on average, {sizing.peak_rate:.1f} in the peak hour",
            f"machines     {sizing.machines} of {machine.cores} cores and {machine.memory_gib:g} GiB, {lost} may fail; "
            f"{sizing.services_a_machine} services of two threads on each",
            f"cores        {sizing.busy_cores:.1f} busy at the peak, {sizing.rate_a_core:.1f} matches a second each: "
            f"{sizing.utilisation:.0%} of all, {sizing.utilisation_lost:.0%} with {lost} machine(s) lost",
            f"p99          {sizing.p99_ms:.0f} ms at the peak, {sizing.p99_lost_ms:.0f} ms with {lost} machine(s) lost",
            f"PostgreSQL   {sizing.transactions_mean:.0f} transactions a second, {sizing.transactions_peak:.0f} at the "
            f"peak; {sizing.connections} connections; {sizing.log_bytes_a_day / 1e9:.1f} GB of its log a day",
            f"network      {sizing.bits_in / 1e9:.2f} Gbit/s in, {sizing.bits_out / 1e9:.2f} Gbit/s out at the peak",
            f"storage      {sizing.access_log_bytes_a_day / 1e9:.1f} GB of log lines a day; photos are not stored",
        )
    )


def _shared_text(sizing: Sizing, figures: Figures, pack: str, targets: Targets) -> str:
    lines = ["shared resources at the peak:"]
    for resource in shared_resources(figures, pack, targets):
        share = sizing.peak_rate / resource.capacity
        remedy = f" -> {resource.remedy}" if share > 1.0 else ""
        lines.append(f"  {share:6.0%}  {resource.name}: {resource.capacity:,.0f} matches a second{remedy}")
    return "\n".join(lines)


def _batch_text(batch: BatchSizing) -> str:
    return "\n".join(
        (
            f"needed       {batch.rows_a_second:.1f} rows a second: {batch.cores:.1f} cores",
            f"machines     {batch.machines}, done in {batch.hours:.1f} hours",
            f"photos       {batch.bytes_read / 1e12:.2f} TB, {batch.bits_in / 1e6:.0f} Mbit/s at this speed",
            f"result       {batch.bytes_written / 1e9:.2f} GB",
        )
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    name, described = "python -m scripts.scaling.model", argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(name, description=__doc__, formatter_class=described)
    parser.add_argument("--population", type=float, default=100e6, help="number of people")
    parser.add_argument("--matches-a-month", type=float, default=1.0, help="of each of them")
    parser.add_argument("--peak", type=float, default=10.0, help="rate of the busiest hour divided by the mean rate")
    parser.add_argument("--pack", default="standard", help="model pack")
    parser.add_argument("--cores", type=int, default=16, help="cores of a machine")
    parser.add_argument("--memory", type=float, default=32.0, help="memory of a machine in GiB")
    parser.add_argument("--utilisation", type=float, default=0.7, help="of the cores at the peak, at most")
    parser.add_argument("--p99", type=float, default=1000.0, help="response time of 99 of 100 requests in ms, at most")
    parser.add_argument("--lost", type=int, default=1, help="machines that may fail at the same time")
    parser.add_argument("--pairs", type=float, help="size a list for `facematch batch` instead")
    parser.add_argument("--hours", type=float, default=62.0, help="time for the list")
    parser.add_argument("--figures", type=Path, default=FIGURES, help="measured figures")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
