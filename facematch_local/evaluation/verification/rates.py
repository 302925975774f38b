"""Error rates from scores (ISO/IEC 19795-1), and the rates that a number of comparisons can support."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facematch_local.evaluation.verification.pairs import Comparisons
from facematch_local.evaluation.verification.scores import BINS, Scores, bin_edges

FMR_TARGETS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)

RULE_OF_3 = 3
"""No error in N trials: with 95 % confidence the rate is below 3/N (Hanley & Lippman-Hand 1983; ISO/IEC 19795-1)."""

RULE_OF_30 = 30
"""With 30 errors the true rate is, with 90 % confidence, within 30 % of the observed one (Doddington et al. 2000)."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold and its error rates.

    Attributes:
        threshold: cosine; a score at or above it is a match.
        fmr, fnmr: NaN without comparisons of the kind.
        false_matches, false_non_matches: the counts behind the rates.
    """

    threshold: float
    fmr: float
    fnmr: float
    false_matches: int
    false_non_matches: int

    @property
    def tmr(self) -> float:
        """True match rate, 1 - FNMR."""
        return 1.0 - self.fnmr


def operating_point(comparisons: Comparisons, threshold: float) -> OperatingPoint:
    """Both error rates at `threshold`."""
    non_mated, mated = comparisons.non_mated, comparisons.mated
    return OperatingPoint(
        threshold,
        non_mated.error_rate(threshold),
        mated.error_rate(threshold),
        non_mated.errors(threshold),
        mated.errors(threshold),
    )


def carries(count: int, rate: float) -> bool:
    """Whether `count` comparisons can support a statement about an error rate of `rate` (rule of 3)."""
    return count * rate >= RULE_OF_3 * (1 - 1e-9)


def upper_limit_without_errors(count: int) -> float:
    """Upper 95 % limit of a rate when none of `count` trials failed: exactly 1 - 0.05^(1/N), about 3/N."""
    return 1.0 - 0.05 ** (1.0 / count) if count else float("nan")


def threshold_at_fmr(non_mated: Scores, fmr: float) -> float:
    """The lowest threshold with an FMR of at most `fmr`.

    Exact within the tail, else to the width of one bin (never below the exact value).
    """
    allowed = math.floor(fmr * non_mated.count + 1e-9)
    if allowed >= non_mated.count:
        return -1.0
    if allowed < len(non_mated.tail):
        # Just above the highest score that must not match; equal scores do not match either.
        return float(np.nextafter(non_mated.tail[len(non_mated.tail) - 1 - allowed], np.float32(2)))
    above = np.cumsum(non_mated.histogram[::-1])[::-1]
    fits = np.flatnonzero(above <= allowed)
    # Slightly above the edge: in float32 a score at the edge may be counted on either side. Scores of 1 must not match
    # either, if they are too frequent.
    return float(bin_edges()[fits[0]] + 1e-6) if len(fits) else float(np.nextafter(np.float32(1), np.float32(2)))


def equal_error_rate(comparisons: Comparisons) -> tuple[float, float]:
    """EER (mean of FMR and FNMR at the bin edge nearest to their crossing) and its threshold; NaN if one is missing."""
    fmr, fnmr = det_curve(comparisons)
    if np.isnan(fmr).all() or np.isnan(fnmr).all():
        return float("nan"), float("nan")
    at = int(np.argmin(np.abs(fmr - fnmr)))
    return float((fmr[at] + fnmr[at]) / 2), float(bin_edges()[at])


def det_curve(comparisons: Comparisons) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FMR and FNMR at the lower edge of every histogram bin, (BINS,) float64 each."""
    with np.errstate(invalid="ignore", divide="ignore"):
        non_mated = comparisons.non_mated.histogram
        fmr = np.cumsum(non_mated[::-1])[::-1] / np.float64(non_mated.sum())
        mated = comparisons.mated.histogram
        fnmr = np.concatenate([[0], np.cumsum(mated)[: BINS - 1]]) / np.float64(mated.sum())
    return fmr, fnmr


@dataclass(frozen=True, slots=True)
class FoldAccuracy:
    """Accuracy by the LFW protocol: the threshold of each fold is chosen on the other folds.

    Attributes:
        mean: mean accuracy of the folds.
        standard_error: standard deviation of the folds' accuracies over the root of their number.
        folds: number of folds.
        given: True if the list names the folds, False for `random_folds`.
    """

    mean: float
    standard_error: float
    folds: int
    given: bool


def random_folds(same: NDArray[np.bool_], count: int = 10, seed: int = 0) -> NDArray[np.int64]:
    """Folds for a list without folds: (N,) int64, each kind of pair distributed evenly and at random (seeded)."""
    folds = np.zeros(len(same), np.int64)
    generator = np.random.default_rng(seed)
    for kind in (True, False):
        rows = np.flatnonzero(same == kind)
        folds[generator.permutation(rows)] = np.arange(len(rows)) % count
    return folds


def fold_accuracy(
    scores: NDArray[np.float32], same: NDArray[np.bool_], folds: NDArray[np.int64], given: bool
) -> FoldAccuracy | None:
    """Accuracy over folds; None for fewer than two folds, or if a fold lacks one kind of pairs."""
    names = np.unique(folds)
    if len(names) < 2 or any(len(np.unique(same[folds == name])) < 2 for name in names):
        return None
    accuracies = []
    for name in names:
        test = folds == name
        threshold = best_threshold(scores[~test], same[~test])
        accuracies.append(float(np.mean((scores[test] >= threshold) == same[test])))
    error = float(np.std(accuracies, ddof=1) / math.sqrt(len(accuracies)))
    return FoldAccuracy(float(np.mean(accuracies)), error, len(names), given)


def best_threshold(scores: NDArray[np.float32], same: NDArray[np.bool_]) -> float:
    """The threshold with the highest accuracy, in the middle between two scores; the lowest of equally good ones."""
    order = np.argsort(scores, kind="stable")
    ordered, mated = scores[order].astype(np.float64), same[order]
    # Correct decisions with the threshold just below score i: non-mated before i, mated from i on.
    correct = np.concatenate([[0], np.cumsum(~mated)]) + np.concatenate([np.cumsum(mated[::-1])[::-1], [0]])
    # A threshold cannot separate equal scores.
    correct[1:-1][np.diff(ordered) == 0] = -1
    at = int(np.argmax(correct))
    below = ordered[at - 1] if at > 0 else -1.0
    above = ordered[at] if at < len(ordered) else 1.0
    return float((below + above) / 2)
