"""Intervals over people: their coverage, and that they are wider than intervals over pairs."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from facematch_local.evaluation.verification.bootstrap import SubjectBootstrap, expanded_level
from facematch_local.evaluation.verification.pairs import Listed, compare_all, compare_listed
from facematch_local.evaluation.verification.rates import threshold_at_fmr


def _compared(sample: Any) -> Any:
    return compare_all(
        sample.embeddings.matrix, sample.dataset.subjects, sample.dataset.groups, sample.embeddings.usable
    )[0]


@pytest.mark.parametrize(
    ("people", "rounds", "least"),
    # 95 % intervals: a lower number of hits would happen once in 60 runs, or in 2,000. The seeds are fixed.
    [(12, 8, 6), *(pytest.param(people, 40, 34, marks=pytest.mark.slow) for people in (12, 30))],
)
def test_the_interval_contains_the_rate_of_the_whole_population(
    population: Callable[..., Any], people: int, rounds: int, least: int
) -> None:
    whole = _compared(population({"alike": 400}, photos=3, seed=99))
    threshold = threshold_at_fmr(whole.non_mated, 0.02)
    fnmr = whole.mated.error_rate(0.55)
    hits_fmr, hits_threshold, hits_fnmr = 0, 0, 0
    for seed in range(rounds):
        sample = population({"alike": people}, photos=3, seed=seed)
        bootstrap = SubjectBootstrap(_compared(sample), sample.dataset.subjects, replicates=200, seed=seed)
        interval, at, missed = bootstrap.fmr(threshold), bootstrap.threshold_at_fmr(0.02), bootstrap.fnmr(0.55)
        hits_fmr += interval.low <= 0.02 <= interval.high
        hits_threshold += at.low <= threshold <= at.high
        hits_fnmr += missed.low <= fnmr <= missed.high
    assert min(hits_fmr, hits_threshold, hits_fnmr) >= least


def test_people_make_wider_intervals_than_pairs(population: Callable[..., Any]) -> None:
    sample = population({"": 60}, photos=6)
    compared = _compared(sample)
    threshold = threshold_at_fmr(compared.non_mated, 0.02)
    interval = SubjectBootstrap(compared, sample.dataset.subjects).fmr(threshold)
    by_pair = 2 * 1.96 * (0.02 * 0.98 / compared.non_mated.count) ** 0.5
    assert interval.high - interval.low > 2 * by_pair


def test_a_list_of_all_pairs_gives_what_all_pairs_give(population: Callable[..., Any]) -> None:
    sample = population({"": 25}, photos=3)
    first, second = np.triu_indices(75, 1)
    same = sample.dataset.subjects[first] == sample.dataset.subjects[second]
    listed = Listed(first.astype(np.int32), second.astype(np.int32), same, [""] * len(first))
    by_list, _ = compare_listed(sample.embeddings.matrix, listed, sample.embeddings.usable)
    intervals = []
    for compared in (_compared(sample), by_list):
        bootstrap = SubjectBootstrap(compared, sample.dataset.subjects, seed=3)
        intervals.append([bootstrap.fmr(0.3), bootstrap.fnmr(0.5), bootstrap.threshold_at_fmr(0.05)])
    for left, right in zip(*intervals, strict=True):
        assert (left.low, left.high) == pytest.approx((right.low, right.high), abs=1e-5)


def test_without_an_error_the_rule_of_3_speaks(population: Callable[..., Any]) -> None:
    sample = population({"": 40}, photos=2)
    bootstrap = SubjectBootstrap(_compared(sample), sample.dataset.subjects)
    interval = bootstrap.fmr(0.999)
    assert interval.low == 0
    assert interval.high == pytest.approx(3 / (40 * 39 / 2 * 4), rel=0.01)


@pytest.mark.parametrize(("people", "quantile"), [(3, 4.3027), (6, 2.5706), (11, 2.2281), (31, 2.0423)])
def test_the_level_is_expanded_by_students_quantile(people: int, quantile: float) -> None:
    # Quantiles of Student's t at 0.975, from a printed table.
    z = quantile * (people / (people - 1)) ** 0.5
    assert expanded_level(0.95, people) == pytest.approx(2 * NormalDist().cdf(z) - 1, abs=1e-5)


def test_few_people_widen_the_interval() -> None:
    levels = [expanded_level(0.95, people) for people in (3, 4, 6, 20, 10_000)]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] == pytest.approx(0.95, abs=1e-4)


def test_two_people_have_no_interval(population: Callable[..., Any]) -> None:
    sample = population({"": 2}, photos=5)
    bootstrap = SubjectBootstrap(_compared(sample), sample.dataset.subjects)
    for interval in (bootstrap.fmr(0.3), bootstrap.fnmr(0.5), bootstrap.threshold_at_fmr(0.2)):
        assert np.isnan(interval.low)
        assert np.isnan(interval.high)
