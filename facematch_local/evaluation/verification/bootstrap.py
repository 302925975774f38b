"""Confidence intervals from resampled people, not from resampled pairs.

The scores of two pairs that share a person are not independent: one person with a common face causes many false
matches. Resampled pairs would ignore that, and the intervals would be far too narrow. This module draws people with
replacement; the weight of a pair is the product of the numbers of draws of its two people (the "vertex bootstrap" of
Snijders & Borgatti 1999; for biometrics Bolle, Ratha & Pankanti 2004). A pair of two copies of one person is not a
non-mated pair and is left out.

With few people the percentile interval is too narrow. Its levels are therefore expanded by the ratio of Student's to
the normal quantile and by sqrt(n / (n - 1)) (Hesterberg, "What teachers should know about the bootstrap", 2015, section
5.3: the expanded percentile interval).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from facematch_local.evaluation.verification.pairs import Comparisons
from facematch_local.evaluation.verification.rates import upper_limit_without_errors

FEW_SUBJECTS = 20
"""With fewer people an interval is rough, expanded or not; reports say so."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval; NaN if it is unknown."""

    low: float
    high: float


MIN_SUBJECTS = 3
"""Two people form one pair of people, which cannot be resampled."""

UNKNOWN = Interval(float("nan"), float("nan"))


class SubjectBootstrap:
    """Resampled people of one set of comparisons."""

    def __init__(
        self, comparisons: Comparisons, subjects: NDArray[np.int32], replicates: int = 200, seed: int = 0
    ) -> None:
        """Draw people for all replicates.

        Args:
            comparisons: the comparisons.
            subjects: (P,) int32, the person on each photo of the whole dataset.
            replicates: number of draws.
            seed: the same seed gives the same intervals.
        """
        names = np.unique(subjects[comparisons.photos])
        self._comparisons = comparisons
        self._number = np.full(int(subjects.max(initial=0)) + 1, -1, np.int64)
        self._number[names] = np.arange(len(names))
        self._subject_of = self._number[subjects]
        self.subjects = len(names)
        generator = np.random.default_rng(seed)
        draws = generator.multinomial(len(names), np.full(len(names), 1 / max(len(names), 1)), size=replicates)
        self._weights: NDArray[np.float64] = draws.astype(np.float64)
        self._photo_counts = np.bincount(self._subject_of[comparisons.photos], minlength=len(names)).astype(np.float64)

    def fmr(self, threshold: float, level: float = 0.95) -> Interval:
        """Interval of FMR at `threshold`; unknown if the tail does not reach down to it."""
        scores = self._comparisons.non_mated
        if self.subjects < MIN_SUBJECTS or not scores.count or not scores.covers(threshold):
            return UNKNOWN
        start = int(np.searchsorted(scores.tail, np.float32(threshold), side="left"))
        first, second = self._tail_subjects(start)
        totals = self._non_mated_totals()
        rates = [
            float(weights[first] @ weights[second]) / total
            for weights, total in zip(self._weights, totals, strict=True)
            if total > 0
        ]
        return _with_rule_of_3(self._percentiles(rates, level), len(first), scores.count)

    def fnmr(self, threshold: float, level: float = 0.95) -> Interval:
        """Interval of FNMR at `threshold`."""
        scores = self._comparisons.mated
        if self.subjects < MIN_SUBJECTS or not scores.count or not scores.covers(threshold):
            return UNKNOWN
        below = int(np.searchsorted(scores.tail, np.float32(threshold), side="left"))
        errors = np.bincount(self._subject_of[scores.first[:below]], minlength=self.subjects)
        totals = self._weights @ self._mated_pairs()
        rates = (self._weights @ errors)[totals > 0] / totals[totals > 0]
        return _with_rule_of_3(self._percentiles(rates.tolist(), level), below, scores.count)

    def threshold_at_fmr(self, fmr: float, level: float = 0.95) -> Interval:
        """Interval of the lowest threshold with an FMR of at most `fmr`; unknown if the tail is too short."""
        scores = self._comparisons.non_mated
        if self.subjects < MIN_SUBJECTS or not scores.count:
            return UNKNOWN
        # A draw that doubles common faces reaches further down than the sample itself, rarely by more than half.
        for needed in (int(1.5 * fmr * scores.count) + 1000, len(scores.tail)):
            thresholds = self._thresholds(fmr, needed)
            if thresholds is not None:
                return self._percentiles(thresholds, level)
        return UNKNOWN

    def _thresholds(self, fmr: float, needed: int) -> list[float] | None:
        """The threshold of each draw from the `needed` highest scores; None if these do not reach far enough down."""
        scores = self._comparisons.non_mated
        start = max(len(scores.tail) - needed, 0)
        first, second = self._tail_subjects(start)
        descending = scores.tail[start:][::-1]
        thresholds = []
        for weights, total in zip(self._weights, self._non_mated_totals(), strict=True):
            if total <= 0:
                continue
            matched = np.cumsum((weights[first] * weights[second])[::-1])
            # The threshold lies just above the first score that adds one match too many.
            at = int(np.searchsorted(matched, fmr * total + 1e-9, side="right"))
            if at >= len(descending):
                if start > 0 or not scores.complete:
                    return None
                thresholds.append(-1.0)
            else:
                thresholds.append(float(np.nextafter(descending[at], np.float32(2))))
        return thresholds

    def _percentiles(self, values: list[float], level: float) -> Interval:
        if not values:
            return UNKNOWN
        level = expanded_level(level, self.subjects)
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
        return Interval(float(low), float(high))

    def _tail_subjects(self, start: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        scores = self._comparisons.non_mated
        return self._subject_of[scores.first[start:]], self._subject_of[scores.second[start:]]

    def _mated_pairs(self) -> NDArray[np.float64]:
        if self._comparisons.all_pairs:
            pairs: NDArray[np.float64] = self._photo_counts * (self._photo_counts - 1) / 2
            return pairs
        first = self._subject_of[self._comparisons.mated.first]
        return np.bincount(first, minlength=self.subjects).astype(np.float64)

    def _non_mated_totals(self) -> NDArray[np.float64]:
        """(replicates,) float64: number of non-mated pairs in each draw."""
        if self._comparisons.all_pairs:
            drawn = self._weights * self._photo_counts
            totals: NDArray[np.float64] = (drawn.sum(axis=1) ** 2 - (drawn**2).sum(axis=1)) / 2
            return totals
        first, second = self._tail_subjects(0)
        return np.array([float(weights[first] @ weights[second]) for weights in self._weights])


def expanded_level(level: float, people: int) -> float:
    """The level of percentiles that gives an interval of `level` with `people` people."""
    z = float(stdtrit(people - 1, (1 + level) / 2)) * math.sqrt(people / (people - 1))
    return 2 * float(ndtr(z)) - 1


def _with_rule_of_3(interval: Interval, errors: int, count: int) -> Interval:
    """The interval, or the rule of 3 if there is no error: every draw then has a rate of 0."""
    return interval if errors else Interval(0.0, upper_limit_without_errors(count))
