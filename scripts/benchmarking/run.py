"""One run of the benchmark."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from facematch_local.packs import find_pack
from scripts.benchmarking.calls.sizes import chosen_sizes
from scripts.benchmarking.calls.ways import Setting
from scripts.benchmarking.growth import Extent, Grown, growth
from scripts.benchmarking.photos import Pair, describe, standard_pair
from scripts.benchmarking.points import Plan, open_points
from scripts.benchmarking.results import Result
from scripts.benchmarking.samples import Figures, measure
from scripts.benchmarking.starts import compare_seconds, stages, starts
from scripts.scaling.measuring.conditions import ROOT, conditions, machine_busy_seconds

PARTS: Final = ("calls", "http", "peers", "growth", "starts")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a run measures.

    Attributes:
        plan: the points.
        extent: how far the quantities of the curves grow.
        rounds: of all points.
        seconds: of a round at one point.
        growth_rounds: of the curves.
        repeats: of starts and of matches for the stages.
    """

    plan: Plan = field(default_factory=Plan)
    extent: Extent = field(default_factory=Extent)
    rounds: int = 3
    seconds: float = 4.0
    growth_rounds: int = 3
    repeats: int = 5


STANDARD: Final = Effort()
QUICK: Final = Effort(
    Plan(clients=(1, 8, 32), modes=("json", "multipart")),
    Extent((0.3, 2.0, 12.0), ("JPEG", "progressive"), (1, 10), (1, 10_000)),
    rounds=2,
    seconds=2.0,
    growth_rounds=2,
    repeats=3,
)


def run(
    pack: str,
    pair: Pair,
    effort: Effort,
    parts: Sequence[str] = PARTS,
    packages: Path | None = None,
    tell: Callable[[str], object] = lambda _: None,
) -> Result:
    """Measure.

    Args:
        pack: name or path of the model pack.
        pair: the photos.
        effort: how much.
        parts: of `PARTS`.
        packages: a folder with further Python packages.
        tell: called with lines of progress.

    Raises:
        PackError: there is no such pack.
        AbsentError: our own software cannot be measured.
    """
    found = find_pack(pack)
    folder = str(found.folder)
    begun, load, busy = time.monotonic(), os.getloadavg()[0], machine_busy_seconds()
    own = _own_seconds()
    setting = Setting(found.folder, sizes=chosen_sizes(found.folder, pair), packages=packages)
    figures = _figures(setting, pair, effort, parts, tell)
    grown: list[Grown] = []
    if "growth" in parts:
        grown = growth(folder, effort.extent, effort.growth_rounds, tell)
    result = Result(
        conditions=conditions(effort.rounds, load, 0.0),
        pack=f"{found.name} {found.version}".strip(),
        photos=(describe(pair.card), describe(pair.portrait)),
        sizes=setting.sizes,
        figures=tuple(figures),
        grown=tuple(grown),
        stages=stages(folder, pair, 2 * effort.repeats) if "calls" in parts else {},
    )
    if "starts" in parts:
        tell("starts")
        ready, rest = starts(folder, effort.repeats)
        seconds = compare_seconds(folder, standard_pair(), effort.repeats, _environment())
        result = replace(result, ready_s=ready, rest_mib=rest, compare_s=seconds)
    spent = _own_seconds() - own
    others = max(machine_busy_seconds() - busy - spent, 0.0) / (time.monotonic() - begun)
    return replace(result, conditions=replace(result.conditions, others=round(others, 2)))


def _figures(
    setting: Setting, pair: Pair, effort: Effort, parts: Sequence[str], tell: Callable[[str], object]
) -> list[Figures]:
    plan = replace(effort.plan, calls="calls" in parts, http="http" in parts, peers="peers" in parts)
    with open_points(plan, setting, pair) as (points, missing):
        tell(f"{len(points)} points, {effort.rounds} rounds of {effort.seconds:g} s")
        return [*measure(points, effort.rounds, effort.seconds, tell), *missing]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACEMATCH_")}
    return {**kept, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "server")))}


def _own_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
