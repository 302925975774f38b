"""Confidence intervals by resampling people, not pairs.

The scores of two pairs that share a person are not independent: one person with a common face makes many false
matches. Drawing pairs would hide that and give intervals that are far too narrow. Here people are drawn with
replacement; a pair of two people counts as often as the product of how often each was drawn (the "vertex bootstrap" of
Snijders & Borgatti 1999; for biometrics Bolle, Ratha & Pankanti 2004). Pairs between two copies of one person are no
non-mated pairs and are left out.

With few people the percentile interval is too narrow. Its levels are therefore widened as Hesterberg ("What teachers
should know about the bootstrap", 2015, section 5.3: the expanded percentile interval) does: by the ratio of Student's
to the normal quantile and by sqrt(n / (n - 1)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from facematch_local.evaluation.verification.pairs import Comparisons
from facematch_local.evaluation.verification.rates import upper_limit_without_errors

FEW_SUBJECTS = 20
"""With fewer people than this an interval is rough, widened or not; reports say so."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval; NaN where it cannot be given."""

    low: float
    high: float


MIN_SUBJECTS = 3
"""Of two people there is one pair: nothing to resample, and no interval."""

UNKNOWN = Interval(float("nan"), float("nan"))


class SubjectBootstrap:
    """Resampled people of one set of comparisons."""

    def __init__(
        self, comparisons: Comparisons, subjects: NDArray[np.int32], replicates: int = 200, seed: int = 0
    ) -> None:
        """Draw the people.

        Args:
            comparisons: what was compared.
            subjects: (P,) int32, whom each photo of the whole dataset shows.
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
        """Interval of FMR at `threshold`; unknown where the tail does not reach that far down."""
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
        """Interval of the lowest threshold with FMR at most `fmr`; unknown where the tail is too short for it."""
        scores = self._comparisons.non_mated
        if self.subjects < MIN_SUBJECTS or not scores.count:
            return UNKNOWN
        # A draw that doubles the commonest faces reaches further down than the sample itself, rarely by half.
        for needed in (int(1.5 * fmr * scores.count) + 1000, len(scores.tail)):
            thresholds = self._thresholds(fmr, needed)
            if thresholds is not None:
                return self._percentiles(thresholds, level)
        return UNKNOWN

    def _thresholds(self, fmr: float, needed: int) -> list[float] | None:
        """The threshold of each draw from the `needed` highest scores; None if they do not reach far enough down."""
        scores = self._comparisons.non_mated
        start = max(len(scores.tail) - needed, 0)
        first, second = self._tail_subjects(start)
        descending = scores.tail[start:][::-1]
        thresholds = []
        for weights, total in zip(self._weights, self._non_mated_totals(), strict=True):
            if total <= 0:
                continue
            matched = np.cumsum((weights[first] * weights[second])[::-1])
            # The first score that makes one match too many: the threshold lies just above it.
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
        """(replicates,): non-mated pairs in each draw."""
        if self._comparisons.all_pairs:
            drawn = self._weights * self._photo_counts
            totals: NDArray[np.float64] = (drawn.sum(axis=1) ** 2 - (drawn**2).sum(axis=1)) / 2
            return totals
        first, second = self._tail_subjects(0)
        return np.array([float(weights[first] @ weights[second]) for weights in self._weights])


def expanded_level(level: float, people: int) -> float:
    """The level at which to read the percentiles so that, with `people` people, the interval has `level`."""
    normal = NormalDist()
    z = student_quantile((1 + level) / 2, people - 1) * math.sqrt(people / (people - 1))
    return 2 * normal.cdf(z) - 1


def student_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t by the expansion of Abramowitz & Stegun 26.7.5; within 4 % at 2 degrees, else 1 %."""
    z = NormalDist().inv_cdf(probability)
    return (
        z
        + (z**3 + z) / (4 * degrees)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * degrees**4)
    )


def _with_rule_of_3(interval: Interval, errors: int, count: int) -> Interval:
    """Without a single error every draw says 0; what can be said then is the rule of 3."""
    return interval if errors else Interval(0.0, upper_limit_without_errors(count))
