"""`FaceMatcher.match` on one core, in a process of its own."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.scaling.measuring.photos import Pair
from scripts.scaling.measuring.service import on_cores

STAGES = ("decode", "detect", "embed", "checks")


@dataclass(frozen=True, slots=True)
class LibraryCost:
    """CPU milliseconds of a match.

    Attributes:
        by_pair: of each pair, medians over the rounds.
        stages: of each pair by stage.
    """

    by_pair: tuple[float, ...]
    stages: tuple[dict[str, float], ...]

    def mean(self, made: Sequence[Pair]) -> float:
        """Mean over the mix."""
        return _mean(self.by_pair, made)

    def mean_stages(self, made: Sequence[Pair]) -> dict[str, float]:
        """Mean over the mix by stage."""
        return {stage: round(_mean([one[stage] for one in self.stages], made), 2) for stage in STAGES}


def library_cost(pack: str, made: Sequence[Pair], rounds: int, core: int) -> LibraryCost:
    """Measure in a fresh process bound to one core, so that no helper thread works beside it."""
    with on_cores({core}), multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (pack, [(pair.card, pair.portrait) for pair in made], rounds))


def _measure(pack: str, photos: Sequence[tuple[bytes, bytes]], rounds: int) -> LibraryCost:
    from facematch_local.matcher import FaceMatcher

    matcher = FaceMatcher.open(pack)
    spent: list[list[float]] = [[] for _ in photos]
    stages: list[dict[str, list[float]]] = [{stage: [] for stage in STAGES} for _ in photos]
    for turn in range(rounds + 1):
        for place, (card, portrait) in enumerate(photos):
            begun, clock = time.process_time(), time.perf_counter()
            result = matcher.match(card, portrait)
            cpu, wall = time.process_time() - begun, time.perf_counter() - clock
            if turn == 0:
                continue
            spent[place].append(1000.0 * cpu)
            for stage in STAGES:
                # The stages are timed by the clock; on a busy machine that exceeds the CPU time.
                stages[place][stage].append(1000.0 * result.timings[stage] * min(cpu / wall, 1.0))
    return LibraryCost(
        tuple(round(statistics.median(values), 2) for values in spent),
        tuple({stage: statistics.median(values) for stage, values in one.items()} for one in stages),
    )


def _mean(values: Sequence[float], made: Sequence[Pair]) -> float:
    return sum(value * pair.tenths for value, pair in zip(values, made, strict=True)) / 10.0
