"""The aims as ratios within one run: only these can be compared between machines and days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scripts.benchmarking.calls import ways
from scripts.benchmarking.growth import PHOTOS
from scripts.benchmarking.points import SERVICE
from scripts.benchmarking.results import Result

# The mode of the main figures: other software takes a form, too.
MODE = "multipart"
_SERVED = f"{ways.ANALYSIS} behind FastAPI"


@dataclass(frozen=True, slots=True)
class Aim:
    """One aim.

    Attributes:
        name: what it is.
        value: as measured.
        bound: the aim.
        at_least: whether the value must reach the bound; otherwise it must not exceed it.
        unit: of both; empty for ratios.
    """

    name: str
    value: float
    bound: float
    at_least: bool = False
    unit: str = ""

    @property
    def reached(self) -> bool:
        """Whether the value keeps to the bound."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def aims(result: Result) -> list[Aim]:
    """The aims whose figures the run has."""
    return [*_beside_the_models(result), *_beside_others(result), *_alone(result), *_sizes(result)]


def _beside_the_models(result: Result) -> Iterator[Aim]:
    cores = result.conditions.cores
    lone, full = result.find(SERVICE, MODE, 1), result.find(SERVICE, MODE, 8)
    alone, floor = result.find(ways.FLOOR, "call", 1), result.find(ways.FLOOR, "call", cores)
    own = result.find(ways.OWN_FLOOR, "call", cores)
    if full and floor:
        yield Aim("throughput, 8 clients / bare models at 640", full.rate / floor.rate, 1.4, at_least=True)
    if full and own:
        yield Aim("throughput, 8 clients / bare models at our sizes", full.rate / own.rate, 0.95, at_least=True)
    if lone and alone:
        yield Aim("p50, lone request / bare models at 640 alone", lone.p50_ms / alone.p50_ms, 0.5)


def _beside_others(result: Result) -> Iterator[Aim]:
    full, theirs = result.find(SERVICE, MODE, 8), result.find(_SERVED, MODE, 8)
    if full and theirs:
        yield Aim("throughput, 8 clients / FaceAnalysis behind FastAPI", full.rate / theirs.rate, 1.9, at_least=True)
        yield Aim("p99, 8 clients / FaceAnalysis behind FastAPI", full.p99_ms / theirs.p99_ms, 0.5)


def _alone(result: Result) -> Iterator[Aim]:
    full, many = result.find(SERVICE, MODE, 8), result.find(SERVICE, MODE, 32)
    if full:
        yield Aim("p99 / p50, 8 clients", full.p99_ms / full.p50_ms, 1.5)
    if full and many:
        # Less than 3 % is the noise of a run.
        yield Aim("throughput, 32 clients / 8 clients", many.rate / full.rate, 0.97, at_least=True)
    for kind in ("wrong key", "bad format"):
        refused = result.find(SERVICE, kind, 1)
        if refused:
            yield Aim(f"p50, {kind}", refused.p50_ms, 2.0, unit="ms")
    for name, value, bound, unit in (
        ("start to ready", result.ready_s, 2.0, "s"),
        ("`facematch compare`", result.compare_s, 1.5, "s"),
        ("memory at rest", result.rest_mib, 350.0, "MiB"),
    ):
        if value:
            yield Aim(name, value, bound, unit=unit)


def _sizes(result: Result) -> Iterator[Aim]:
    ms = {(one.series, one.amount): one.ms for one in result.grown if one.quantity == PHOTOS and not one.absent}
    small = ms.get(("JPEG", 2.0))
    for kind, bound in (("JPEG", 1.4), ("progressive", 2.5)):
        large = ms.get((kind, 12.0))
        if small and large:
            yield Aim(f"12 megapixels, {kind} / 2 megapixels, JPEG", large / small, bound)
