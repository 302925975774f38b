"""Measure what this machine does, and write it as JSON for the model and the simulation.

    python -m scripts.scaling.measure                      # writes scripts/scaling/figures.json, about 15 minutes
    python -m scripts.scaling.measure --rounds 1 --open-seconds 5 --out trial.json

Use an idle machine with two or more cores: the service runs on core 0, then on cores 0 and 1; its clients run on core 1
and on both. The result gives the load average and the cores that other programs kept busy. PostgreSQL is measured where
its programs are installed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from facematch_local.errors import FacematchError
from scripts.scaling.figures import (
    FIGURES,
    BatchFigures,
    DatabaseFigures,
    Figures,
    PackFigures,
    PhotoCost,
    write_figures,
)
from scripts.scaling.measuring.clients import Client, Sent
from scripts.scaling.measuring.conditions import ROOT, conditions
from scripts.scaling.measuring.database import database_figures
from scripts.scaling.measuring.library import LibraryCost, library_cost
from scripts.scaling.measuring.memory import memory_figures
from scripts.scaling.measuring.photos import Pair, mixed, pairs
from scripts.scaling.measuring.service import MeasureError, service
from scripts.scaling.measuring.throughput import throughput

PACKS = ("compact", "standard")
_ONE, _BOTH, _OTHER = {0}, {0, 1}, {1}
# The heads of a request with Basic authentication, and of a reply.
_HEAD_BYTES = 400


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _options(arguments)
    if not os.sched_getaffinity(0) >= _BOTH:
        print("measure: needs cores 0 and 1", file=sys.stderr)
        return 2
    try:
        figures = measure(options.packs, options.rounds, options.open_seconds, options.batch_rows)
    except (FacematchError, MeasureError, OSError, subprocess.CalledProcessError) as error:
        print(f"measure: {error}", file=sys.stderr)
        return 2
    write_figures(figures, options.out)
    print(f"wrote {options.out}; other programs kept {figures.conditions.others} cores busy")
    return 0


def measure(packs: Sequence[str], rounds: int, open_seconds: float, batch_rows: int) -> Figures:
    """Measure everything.

    Raises:
        FacematchError: a pack is missing.
        MeasureError: the service or a tool does not do what the measurement needs.
    """
    load = os.getloadavg()[0]
    made = pairs()
    bodies = [pair.base64_body() for pair in mixed(made)]
    others = wall = 0.0
    measured, costs = [], []
    for pack in packs:
        cost = library_cost(pack, made, rounds, 0)
        one = throughput(pack, bodies, _ONE, _OTHER, rounds, open_seconds)
        two = throughput(pack, bodies, _BOTH, _BOTH, rounds, open_seconds)
        memory, start_seconds = memory_figures(pack, bodies, _BOTH)
        for run in (one, two):
            others, wall = others + run.spent[0], wall + run.spent[1]
        costs.append(cost)
        measured.append(
            PackFigures(
                pack=pack,
                library_cpu_ms=round(cost.mean(made), 1),
                stages_ms=cost.mean_stages(made),
                lone_ms=one.lone_ms,
                lone_two_ms=two.lone_ms,
                points=(*one.points(1), *two.points(2)),
                memory=memory,
                start_seconds=round(start_seconds, 2),
            )
        )
        _tell(f"{pack}: {two.points(2)[2].throughput} matches a second on two cores")
    databases: list[DatabaseFigures] = database_figures(packs[0], bodies, _BOTH)
    photos, log_bytes = _photo_costs(packs[0], made, costs[0])
    return Figures(
        conditions=conditions(rounds, load, others / wall),
        packs=tuple(measured),
        databases=tuple(databases),
        photos=tuple(photos),
        batch=tuple(_batch(pack, batch_rows) for pack in packs),
        access_log_bytes=log_bytes,
    )


def _photo_costs(pack: str, made: Sequence[Pair], cost: LibraryCost) -> tuple[list[PhotoCost], float]:
    """Bytes by size of the photos, and bytes of a log line."""
    costs = []
    with service(pack, _BOTH) as running:
        for pair, cpu_ms in zip(made, cost.by_pair, strict=True):
            sent = Sent()
            Client(running, [pair.base64_body()]).closed(sent, 1, 1)
            costs.append(
                PhotoCost(
                    megapixels=round(pair.megapixels, 2),
                    jpeg_bytes=len(pair.card) + len(pair.portrait),
                    base64_bytes=len(pair.base64_body()) + _HEAD_BYTES,
                    file_bytes=len(pair.form_body()) + _HEAD_BYTES,
                    reply_bytes=sent.reply_bytes + _HEAD_BYTES,
                    cpu_ms=cpu_ms,
                    share=pair.tenths / 10.0,
                )
            )
        lines = [line for line in running.log.read_text("utf-8").splitlines() if '"request"' in line]
    return costs, sum(len(line) + 1 for line in lines) / len(lines)


def _batch(pack: str, rows: int) -> BatchFigures:
    """The throughput by `scripts/batch_benchmark.py`, and the bytes of a row of its result."""
    command = [sys.executable, str(ROOT / "scripts" / "batch_benchmark.py"), "--pack", pack, "--json"]
    command += ["--rows", str(rows), "--rounds", "1", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    processes = json.loads(done.stdout)["contestants"]["processes"]
    row = "00000001,photos/0001/card.jpg,photos/0001/portrait.jpg,card,87.42,match,0,,,\n"
    return BatchFigures(pack, round(processes["rows_a_second"], 2), round(processes["cpu_ms_a_row"], 1), len(row))


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    described = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m scripts.scaling.measure", description=__doc__, formatter_class=described
    )
    parser.add_argument("--packs", nargs="+", default=list(PACKS), help="model packs")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement")
    parser.add_argument("--open-seconds", type=float, default=15.0, help="length of each open loop in a round")
    parser.add_argument("--batch-rows", type=int, default=60, help="rows of the batch")
    parser.add_argument("--out", type=Path, default=FIGURES, help="where to write")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
