"""The promises of a calibration curve, and a check of a curve against new data.

A curve makes two promises at each mark, and the stricter one decides where the mark lies:

| | FMR over random pairs | FMR within the hardest group |
|---|---|---|
| 65 % | at most 1e-3 | at most 1e-2 |
| 75 % | at most 1e-5 | at most 1e-3 |
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from facematch_local.evaluation.verification.rates import RULE_OF_3


@dataclass(frozen=True, slots=True)
class Promise:
    """The highest false match rates at a mark of the percent scale.

    Attributes:
        percent: the mark.
        random: highest FMR over random pairs.
        group: highest FMR within the hardest group.
    """

    percent: int
    random: float
    group: float


PROMISES = (Promise(65, 1e-3, 1e-2), Promise(75, 1e-5, 1e-3))


class PromiseStatus(StrEnum):
    """Whether new data keep a promise."""

    KEPT = "kept"
    """The upper end of the interval is at most the promised rate."""
    PLAUSIBLE = "plausible"
    """The interval contains the promised rate: the data do not contradict the promise."""
    BROKEN = "broken"
    """The lower end of the interval is above the promised rate."""
    TOO_FEW = "too few comparisons"
    """The comparisons do not support the promised rate (rule of 3)."""


@dataclass(frozen=True, slots=True)
class CheckedPromise:
    """A promise and the rate in new data.

    Attributes:
        percent: the mark.
        scope: the group, "" for random pairs.
        promised: the promised FMR.
        fmr, low, high: the measured FMR and its 95 % interval; NaN if unknown.
        non_mated: number of non-mated comparisons.
        status: whether the promise is kept.
    """

    percent: int
    scope: str
    promised: float
    fmr: float
    low: float
    high: float
    non_mated: int
    status: PromiseStatus


def check(report: Mapping[str, Any]) -> tuple[CheckedPromise, ...]:
    """Check the curve of a report against its promises, for random pairs and for every group.

    Args:
        report: data of `data.as_data`.
    """
    results = []
    for promise in PROMISES:
        results.append(_checked(report["overall"], promise.percent, promise.random))
        results += [_checked(group, promise.percent, promise.group) for group in report["groups"]]
    return tuple(results)


def _checked(scope: Mapping[str, Any], percent: int, promised: float) -> CheckedPromise:
    mark = scope["at_percent"][str(percent)]
    fmr = number(mark["fmr"])
    low, high = (number(bound) for bound in mark["fmr_interval"])
    if math.isnan(high) or (scope["non_mated"] * promised < RULE_OF_3 and not low > promised):
        status = PromiseStatus.TOO_FEW
    elif high <= promised:
        status = PromiseStatus.KEPT
    elif low > promised:
        status = PromiseStatus.BROKEN
    else:
        status = PromiseStatus.PLAUSIBLE
    return CheckedPromise(percent, str(scope["name"]), promised, fmr, low, high, int(scope["non_mated"]), status)


def number(value: float | None) -> float:
    """A number of a report; NaN for None, which stands for an unknown figure."""
    return float("nan") if value is None else float(value)
