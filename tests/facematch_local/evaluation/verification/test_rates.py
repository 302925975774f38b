"""Error rates where the right answer is known."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from facematch_local.evaluation.verification.pairs import Comparisons
from facematch_local.evaluation.verification.rates import (
    best_threshold,
    carries,
    det_curve,
    equal_error_rate,
    fold_accuracy,
    operating_point,
    random_folds,
    threshold_at_fmr,
    upper_limit_without_errors,
)
from facematch_local.evaluation.verification.scores import Collector, Kind


def comparisons(mated: np.ndarray, non_mated: np.ndarray, tail: int = 10**6) -> Comparisons:
    kinds = []
    for kind, values in ((Kind.MATED, mated), (Kind.NON_MATED, non_mated)):
        collector = Collector(kind, tail)
        numbers = np.arange(len(values), dtype=np.int32)
        collector.add(values.astype(np.float32), numbers, numbers)
        kinds.append(collector.finish())
    return Comparisons(kinds[0], kinds[1], False, np.arange(max(len(mated), len(non_mated)), dtype=np.int32))


@given(
    st.lists(st.sampled_from([n / 50 for n in range(-50, 51)]), min_size=1, max_size=80),
    st.sampled_from([0.5, 0.1, 0.03, 0.01]),
)
@example(scores=[1.0] * 8, fmr=0.5)
@settings(max_examples=60, deadline=None)
def test_the_threshold_is_the_lowest_that_keeps_the_rate(scores: list[float], fmr: float) -> None:
    values = np.array(scores, np.float32)
    for tail in (10**6, 7):
        non_mated = comparisons(np.array([0.5]), values, tail).non_mated
        threshold = threshold_at_fmr(non_mated, fmr)
        assert (values >= np.float32(threshold)).mean() <= fmr
        below = values[values < np.float32(threshold)]
        if len(below):
            # One score further down (or one bin, beyond the tail) and the rate is broken.
            assert (values >= below.max()).mean() > fmr or threshold - below.max() <= 2e-4


def test_equal_error_rate_of_two_normal_distributions() -> None:
    generator = np.random.default_rng(2)
    both = comparisons(generator.normal(0.5, 0.1, 200_000), generator.normal(0.1, 0.1, 200_000))
    eer, threshold = equal_error_rate(both)
    assert threshold == pytest.approx(0.3, abs=0.005)
    assert eer == pytest.approx(NormalDist().cdf(-2), abs=0.001)
    fmr, fnmr = det_curve(both)
    assert (np.diff(fmr) <= 0).all()
    assert (np.diff(fnmr) >= 0).all()
    assert (fmr[0], fnmr[0]) == (1.0, 0.0)


def test_a_missing_kind_is_unknown_not_zero() -> None:
    point = operating_point(comparisons(np.array([0.4, 0.8]), np.empty(0)), 0.5)
    assert np.isnan(point.fmr)
    assert (point.fnmr, point.tmr, point.false_non_matches) == (0.5, 0.5, 1)
    assert np.isnan(equal_error_rate(comparisons(np.array([0.4]), np.empty(0)))[0])


def test_a_score_at_the_threshold_is_a_match() -> None:
    point = operating_point(comparisons(np.array([0.5]), np.array([0.5])), float(np.float32(0.5)))
    assert (point.fmr, point.fnmr) == (1.0, 0.0)


def test_rule_of_3() -> None:
    assert carries(3_000, 1e-3)
    assert not carries(2_999, 1e-3)
    assert upper_limit_without_errors(1_000) == pytest.approx(3e-3, rel=0.01)
    assert np.isnan(upper_limit_without_errors(0))


def test_lfw_accuracy_chooses_the_threshold_on_the_other_folds() -> None:
    # Fold 0 lies 0.4 higher than fold 1. With the threshold of the other fold each errs on one kind.
    scores = np.array([0.9, 0.9, 0.6, 0.6, 0.5, 0.5, 0.2, 0.2], np.float32)
    same = np.array([1, 1, 0, 0, 1, 1, 0, 0], bool)
    folds = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    accuracy = fold_accuracy(scores, same, folds, given=True)
    assert accuracy is not None
    assert (accuracy.mean, accuracy.standard_error, accuracy.folds) == (0.5, 0.0, 2)
    assert fold_accuracy(scores, same, np.zeros(8, int), given=True) is None
    assert fold_accuracy(scores, same, np.repeat([0, 1, 2, 3], 2), given=True) is None


def test_best_threshold_does_not_part_equal_scores() -> None:
    scores = np.array([0.1, 0.3, 0.3, 0.3, 0.7], np.float32)
    same = np.array([False, False, True, True, True])
    threshold = best_threshold(scores, same)
    assert 0.1 < threshold < 0.3
    assert ((scores >= threshold) == same).mean() == pytest.approx(0.8)


def test_random_folds_spread_both_kinds() -> None:
    same = np.arange(200) < 100
    folds = random_folds(same)
    assert all(same[folds == fold].sum() == 10 and (folds == fold).sum() == 20 for fold in range(10))
    assert (folds == random_folds(same)).all()
