"""Figures of several rounds, on points that only pretend to work."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scripts.benchmarking.samples import Point, Sample, absent, figures_of, measure


def point(run: Callable[[float], Sample], subject: str = "stub") -> Point:
    return Point(subject, "call", 2, run)


def test_percentiles_are_of_all_rounds_and_rates_are_medians() -> None:
    rounds = [
        Sample((0.010,) * 50, 1.0, 0.5, memory_mib=10.0),
        Sample((0.020,) * 40, 1.0, 0.8, refused=3, memory_mib=30.0),
        Sample((0.100,) * 10, 1.0, 0.1, memory_mib=20.0),
    ]
    figures = figures_of(point(lambda _: rounds[0]), rounds)
    assert (figures.count, figures.p50_ms, figures.p95_ms, figures.p99_ms) == (100, 15.0, 100.0, 100.0)
    assert (figures.rate, figures.cpu_ms, figures.memory_mib, figures.refused) == (40.0, 10.0, 30.0, 3)


def test_a_round_without_a_comparison_is_an_error() -> None:
    for samples in ([], [Sample((), 1.0, 0.1)], [Sample((0.1,), 1.0, 0.1), Sample((), 1.0, 0.1)]):
        with pytest.raises(ValueError, match="no comparison ended"):
            figures_of(point(lambda _: Sample((), 1.0, 0.0)), samples)


def test_all_points_are_measured_in_turn_and_every_second_round_runs_backwards() -> None:
    order: list[tuple[str, float]] = []

    def stub(name: str) -> Point:
        def run(seconds: float) -> Sample:
            order.append((name, seconds))
            return Sample((0.01,), 0.01, 0.01)

        return point(run, name)

    told: list[str] = []
    found = measure([stub("a"), stub("b"), stub("c")], 3, 2.0, told.append)
    assert [one.subject for one in found] == ["a", "b", "c"]
    assert [one.count for one in found] == [3, 3, 3]
    # The first pass is not measured.
    assert "".join(name for name, _ in order) == "abc" + "abc" + "cba" + "abc"
    assert {seconds for _, seconds in order[3:]} == {2.0}
    assert len(told) == 3


def test_absent_software_has_a_row_that_says_so() -> None:
    row = absent("deepface", "call", "not installed")
    assert (row.subject, row.absent, row.count) == ("deepface", "not installed", 0)
