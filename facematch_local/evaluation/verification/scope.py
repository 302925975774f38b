"""Figures of one population: error rates at the marks, thresholds at stated rates, and the comparison of groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facematch_local.calibration import Calibration
from facematch_local.evaluation.verification.bootstrap import UNKNOWN, Interval, SubjectBootstrap
from facematch_local.evaluation.verification.pairs import Comparisons
from facematch_local.evaluation.verification.rates import (
    FMR_TARGETS,
    OperatingPoint,
    carries,
    equal_error_rate,
    operating_point,
    threshold_at_fmr,
)

MARKS = (65, 75)
"""The percents at which the verdict of the contract changes."""

MIN_ERRORS_TO_COMPARE = 10
"""A group with fewer false matches is not called the worst: one or two are chance."""


@dataclass(frozen=True, slots=True)
class MarkPoint:
    """Error rates at one mark of the percent scale.

    Attributes:
        percent: 65 (a match is 65.00 and above) or 75 (above 75.00), as in the contract.
        point: threshold and error rates over the completed comparisons.
        fmr, fnmr: 95 % intervals by subject.
        gfmr, gfnmr: the generalised rates (GFAR and GFRR for one attempt in ISO/IEC 19795-1) over all requested
            comparisons; one with a photo without a face counts as "no match".
    """

    percent: int
    point: OperatingPoint
    fmr: Interval
    fnmr: Interval
    gfmr: float
    gfnmr: float


@dataclass(frozen=True, slots=True)
class FmrPoint:
    """The threshold at a stated FMR.

    Attributes:
        fmr: the stated rate.
        supported: False if the comparisons are too few for the rate (rule of 3); the other fields are then unknown.
        threshold: cosine; NaN if not supported.
        interval: 95 % interval of the threshold, by subject.
        tmr: true match rate there; NaN without mated comparisons.
        false_matches: at that threshold; with fewer than 30 the figure is rough (rule of 30).
    """

    fmr: float
    supported: bool
    threshold: float = float("nan")
    interval: Interval = UNKNOWN
    tmr: float = float("nan")
    false_matches: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """All figures of one population: everyone, or one group.

    Attributes:
        name: the group, "" for everyone.
        people, photos: number of compared ones.
        comparisons: the scores.
        marks: at 65 % and 75 %.
        targets: at FMR 1e-2 to 1e-6.
        eer: equal error rate; NaN if a kind of comparisons is missing.
        eer_threshold: its threshold.
    """

    name: str
    people: int
    photos: int
    comparisons: Comparisons
    marks: tuple[MarkPoint, ...]
    targets: tuple[FmrPoint, ...]
    eer: float
    eer_threshold: float

    def mark(self, percent: int) -> MarkPoint:
        """The figures at 65 or 75."""
        return next(mark for mark in self.marks if mark.percent == percent)

    def target(self, fmr: float) -> FmrPoint:
        """The figures at one of `FMR_TARGETS`."""
        return next(target for target in self.targets if math.isclose(target.fmr, fmr))


@dataclass(frozen=True, slots=True)
class Differential:
    """Differential performance between groups (ISO/IEC 19795-10) at one mark.

    Attributes:
        percent: 65 or 75.
        worst_fmr_group: the group with the highest FMR among those with enough false matches; "" without such a group.
        fmr_ratio: its FMR over that of all comparisons; NaN if the latter is 0.
        worst_fnmr_group, fnmr_ratio: the same for FNMR.
    """

    percent: int
    worst_fmr_group: str
    fmr_ratio: float
    worst_fnmr_group: str
    fnmr_ratio: float


def scope_figures(
    name: str,
    comparisons: Comparisons,
    subjects: NDArray[np.int32],
    calibration: Calibration,
    replicates: int,
    completed: tuple[float, float],
) -> Scope:
    """All figures of a population.

    Args:
        name: the group, "" for everyone.
        comparisons: its scores.
        subjects: (P,) int32, the person on each photo of the dataset.
        calibration: the curve.
        replicates: draws of the bootstrap.
        completed: shares of the requested mated and non-mated comparisons that were completed.
    """
    bootstrap = SubjectBootstrap(comparisons, subjects, replicates)
    eer, eer_threshold = equal_error_rate(comparisons)
    mated_share, non_mated_share = completed

    def mark(percent: int) -> MarkPoint:
        threshold = mark_threshold(calibration, percent)
        point = operating_point(comparisons, threshold)
        return MarkPoint(
            percent,
            point,
            bootstrap.fmr(threshold),
            bootstrap.fnmr(threshold),
            gfmr=point.fmr * non_mated_share,
            gfnmr=1 - (1 - point.fnmr) * mated_share,
        )

    return Scope(
        name=name,
        people=bootstrap.subjects,
        photos=len(comparisons.photos),
        comparisons=comparisons,
        marks=tuple(mark(percent) for percent in MARKS),
        targets=tuple(_target(comparisons, bootstrap, fmr) for fmr in FMR_TARGETS),
        eer=eer,
        eer_threshold=eer_threshold,
    )


def _target(comparisons: Comparisons, bootstrap: SubjectBootstrap, fmr: float) -> FmrPoint:
    if not carries(comparisons.non_mated.count, fmr):
        return FmrPoint(fmr, supported=False)
    threshold = threshold_at_fmr(comparisons.non_mated, fmr)
    point = operating_point(comparisons, threshold)
    return FmrPoint(fmr, True, threshold, bootstrap.threshold_at_fmr(fmr), point.tmr, point.false_matches)


def mark_threshold(calibration: Calibration, percent: int) -> float:
    """The lowest cosine with a printed percent on the upper side of a mark: 65.00 and above, or above 75.00.

    Bisection over the function that prints includes its rounding.
    """

    def beyond(cosine: float) -> bool:
        printed = calibration.percent(cosine)
        return printed > percent if percent == 75 else printed >= percent

    low, high = -1.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return high


def differential(overall: Scope, groups: Mapping[str, Scope], percent: int) -> Differential:
    """The worst group at a mark, by FMR and by FNMR."""
    point = overall.mark(percent).point
    fmr = {name: scope.mark(percent).point.fmr for name, scope in groups.items() if _supports_fmr(scope, percent)}
    fnmr = {
        name: scope.mark(percent).point.fnmr
        for name, scope in groups.items()
        if scope.comparisons.mated.count and not math.isnan(point.fnmr)
    }
    worst_fmr = max(fmr, key=fmr.__getitem__, default="")
    worst_fnmr = max(fnmr, key=fnmr.__getitem__, default="")
    return Differential(
        percent,
        worst_fmr,
        _ratio(fmr.get(worst_fmr, float("nan")), point.fmr),
        worst_fnmr,
        _ratio(fnmr.get(worst_fnmr, float("nan")), point.fnmr),
    )


def _supports_fmr(scope: Scope, percent: int) -> bool:
    """Whether a group has enough false matches to be called the worst."""
    return scope.mark(percent).point.false_matches >= MIN_ERRORS_TO_COMPARE


def _ratio(value: float, base: float) -> float:
    return value / base if base else float("nan")
