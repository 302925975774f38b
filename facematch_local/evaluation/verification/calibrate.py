"""From an evaluation to the curve from cosine to percent, and whether a curve still keeps its promises.

The curve makes two promises at each mark, and the stricter one decides where the mark lies:

| | FMR over random pairs | FMR within the hardest group |
|---|---|---|
| 65 % | at most 1e-3 | at most 1e-2 |
| 75 % | at most 1e-5 | at most 1e-3 |

A threshold estimated from a sample keeps its promise for other people only half of the time. So not the estimate is
used but the upper end of its 95 % interval over resampled people (see `bootstrap`), which is the wider the fewer people
there are. Everything here works on the plain data of a report (`report.as_data`), so that a curve can be made from a
report that was written months ago, without the photos.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facematch_local.calibration import as_calibration
from facematch_local.errors import FacematchError

FORMAT = 1

MIN_PEOPLE = 3
"""Fewer people than this are no group: there is one pair of people, which says nothing of the others."""

ENOUGH_PEOPLE = 8
"""Of groups with so many people the hardest decides, and smaller ones are only reported. The rate within six people is
that of fifteen pairs of people: its interval reaches so far up that it measures how few they are, not how alike."""

MIN_EXPECTED_ERRORS = 10
"""A group has enough pairs for a rate when that many errors are expected at it. With ten, the upper 95 % limit is 1.8
times the estimate (Poisson); with fewer, a handful of photos decides where everyone's mark lies."""

MIN_PEOPLE_OVERALL = 30

MIN_GAP = 0.03
"""Least distance in cosine between the marks, so that "unsure" stays a range a client can meet."""

TYPICAL_PERCENT = 90.0
"""What the median mated comparison prints, where it lies far enough above the 75 % mark: half of all genuine
customers then read 90 or more, and the scale between 75 and 90 is left for the difficult ones."""


class CalibrationError(FacematchError):
    """The data cannot carry a curve; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a mark of the percent scale stands for.

    Attributes:
        percent: the mark.
        random: highest FMR over random pairs.
        group: highest FMR within the hardest group.
    """

    percent: int
    random: float
    group: float


PROMISES = (Promise(65, 1e-3, 1e-2), Promise(75, 1e-5, 1e-3))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one population says about where a mark must lie.

    Attributes:
        scope: the group, "" for random pairs.
        fmr: the promised rate.
        people, non_mated: how many stand behind it.
        threshold: cosine at which the sample itself keeps the promise.
        upper: upper end of the 95 % interval of that threshold; this is what counts.
        extrapolated: True when the sample is too small for the rate and the value was continued from higher rates.
    """

    scope: str
    fmr: float
    people: int
    non_mated: int
    threshold: float
    upper: float
    extrapolated: bool


@dataclass(frozen=True, slots=True)
class Anchor:
    """A mark of the scale, with all that was weighed."""

    percent: int
    cosine: float
    decided_by: str
    extrapolated: bool
    evidence: tuple[Evidence, ...]


def anchors(report: Mapping[str, Any], extrapolate: bool = False) -> tuple[Anchor, ...]:
    """Where the marks must lie.

    Args:
        report: data of `report.as_data`.
        extrapolate: continue to rates that the data are too few for, and mark the result.

    Raises:
        CalibrationError: the data are too few, and `extrapolate` is not set.
    """
    overall, groups = report["overall"], report["groups"]
    if overall["people"] < MIN_PEOPLE_OVERALL:
        raise CalibrationError(
            f"{overall['people']} people are too few for a curve, at least {MIN_PEOPLE_OVERALL} are needed"
        )
    found: list[Anchor] = []
    for promise in PROMISES:
        evidence = [_evidence(overall, promise.random, promise.percent, extrapolate)]
        evidence += [
            _evidence(group, promise.group, promise.percent, extrapolate) for group in _speaking(groups, promise.group)
        ]
        decisive = max(evidence, key=lambda item: item.upper)
        # Up to the next 1e-4, and one more: printing rounds the percent to two decimals.
        cosine = math.ceil(decisive.upper * 1e4) / 1e4 + 1e-4
        if found:
            cosine = max(cosine, found[-1].cosine + MIN_GAP)
        found.append(
            Anchor(
                promise.percent,
                round(cosine, 4),
                decisive.scope or "random pairs",
                any(item.extrapolated for item in evidence),
                tuple(evidence),
            )
        )
    return tuple(found)


def _speaking(groups: Sequence[Mapping[str, Any]], fmr: float) -> list[Mapping[str, Any]]:
    """The groups with enough people and pairs for a rate; where none has enough people, those with the most."""
    large = [group for group in groups if group["people"] >= MIN_PEOPLE]
    if groups and not large:
        raise CalibrationError(f"groups are named, but none has {MIN_PEOPLE} people or more")
    large = [group for group in large if group["people"] >= ENOUGH_PEOPLE] or large
    enough = [group for group in large if group["non_mated"] * fmr >= MIN_EXPECTED_ERRORS]
    # Groups were named, so the second promise is asked for; the largest can say most about it.
    return enough or sorted(large, key=lambda group: int(group["non_mated"]))[-1:]


def curve(marks: Sequence[Anchor], typical: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The whole curve: cosines and percents of its knots, (K,) float64 each, strictly increasing.

    Monotone cubic (PCHIP) through (0, 0), the marks, `TYPICAL_PERCENT` at the median mated comparison and (1, 100),
    written as a fine polyline.

    Args:
        marks: the anchors.
        typical: median cosine of mated comparisons; NaN if unknown.
    """
    last = marks[-1].cosine
    if not 0 < marks[0].cosine < last < 0.95:
        raise CalibrationError(f"the marks lie at {marks[0].cosine} and {last}: no curve from 0 to 1 fits them")
    # Too close to the mark (or unknown) the median would make a cliff; then the scale is divided evenly.
    lowest = last + 0.25 * (1 - last)
    top = min(max(typical, lowest), 0.5 * (last + 1) + 0.2 * (1 - last)) if math.isfinite(typical) else lowest
    cosines = np.array([0.0, *(mark.cosine for mark in marks), top, 1.0])
    percents = np.array([0.0, *(float(mark.percent) for mark in marks), TYPICAL_PERCENT, 100.0])
    steps = [np.linspace(low, high, 9)[:-1] for low, high in itertools.pairwise(cosines)]
    at = np.append(np.concatenate(steps), 1.0)
    values = pchip(cosines, percents, at)
    for cosine, percent in zip(cosines, percents, strict=True):
        values[np.argmin(np.abs(at - cosine))] = percent
    return np.round(at, 5), np.round(values, 4)


def pchip(x: NDArray[np.float64], y: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Piecewise cubic Hermite interpolation that keeps monotone data monotone (Fritsch & Carlson 1980).

    Slopes inside are the weighted harmonic means of the neighbouring secants (Fritsch & Butland 1984), those at the
    ends the one-sided three-point estimate, limited so that the sign and three times the secant are kept.
    """
    widths, secants = np.diff(x), np.diff(y) / np.diff(x)
    slopes = np.zeros_like(y)
    for i in range(1, len(x) - 1):
        left, right = secants[i - 1], secants[i]
        if left * right > 0:
            a, b = 2 * widths[i] + widths[i - 1], widths[i] + 2 * widths[i - 1]
            slopes[i] = (a + b) / (a / left + b / right)
    slopes[0] = _end_slope(widths[0], widths[1], secants[0], secants[1])
    slopes[-1] = _end_slope(widths[-1], widths[-2], secants[-1], secants[-2])
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    h, t = widths[piece], (at - x[piece]) / widths[piece]
    result: NDArray[np.float64] = (
        (1 + 2 * t) * (1 - t) ** 2 * y[piece]
        + t * (1 - t) ** 2 * h * slopes[piece]
        + t**2 * (3 - 2 * t) * y[piece + 1]
        + t**2 * (t - 1) * h * slopes[piece + 1]
    )
    return result


def _end_slope(width: float, next_width: float, secant: float, next_secant: float) -> float:
    slope = ((2 * width + next_width) * secant - width * next_secant) / (width + next_width)
    if slope * secant <= 0:
        return 0.0
    return 3 * secant if secant * next_secant < 0 and abs(slope) > 3 * abs(secant) else slope


def fit(
    report: Mapping[str, Any],
    *,
    date: str,
    extrapolate: bool = False,
) -> dict[str, Any]:
    """A calibration file's content (see docs/accuracy.md) from a report.

    Raises:
        CalibrationError: the data are too few.
    """
    marks = anchors(report, extrapolate)
    cosines, percents = curve(marks, _number(report["overall"]["mated_median"]))
    knots = [
        {"cosine": float(cosine), "percent": float(percent)} for cosine, percent in zip(cosines, percents, strict=True)
    ]
    digest = hashlib.sha256(json.dumps(knots).encode()).hexdigest()[:8]
    content: dict[str, Any] = {
        "format": FORMAT,
        "id": f"{report['pack']['name']}-{date}-{digest}",
        "created": date,
        "tool": report["tool"],
        "pack": report["pack"],
        "recogniser_sha256": report["pack"]["recogniser_sha256"],
        "landmarks_sha256": report["pack"].get("landmarks_sha256", ""),
        "landmark_looks": report["pack"].get("landmark_looks", 1),
        "mirror": report["pack"].get("mirror", False),
        "promises": [asdict(promise) for promise in PROMISES],
        "extrapolated": any(mark.extrapolated for mark in marks),
        "anchors": [asdict(mark) for mark in marks],
        "data": {
            "name": report["dataset"]["name"],
            "fta": report["fta"],
            "overall": _counts(report["overall"]),
            "groups": [_counts(group) for group in report["groups"]],
        },
        "interval": "95 %, percentile bootstrap over people",
        "curve": knots,
    }
    as_calibration(content)  # fails here rather than when a server starts
    return content


class Finding(StrEnum):
    """Whether a promise is kept by new data."""

    KEPT = "kept"
    """Even the upper end of the interval keeps it."""
    PLAUSIBLE = "plausible"
    """The interval contains the promised rate: the data do not contradict it."""
    BROKEN = "broken"
    """Even the lower end of the interval is above the promised rate."""
    TOO_FEW = "too few comparisons"


@dataclass(frozen=True, slots=True)
class CheckedPromise:
    """One promise held against new data."""

    percent: int
    scope: str
    promised: float
    fmr: float
    low: float
    high: float
    non_mated: int
    finding: Finding


def check(report: Mapping[str, Any]) -> tuple[CheckedPromise, ...]:
    """Hold the curve that a report was made with against its promises: random pairs, and every group."""
    results = []
    for promise in PROMISES:
        results.append(_checked(report["overall"], promise.percent, promise.random))
        results += [_checked(group, promise.percent, promise.group) for group in report["groups"]]
    return tuple(results)


def _checked(scope: Mapping[str, Any], percent: int, promised: float) -> CheckedPromise:
    mark = scope["at_percent"][str(percent)]
    fmr = _number(mark["fmr"])
    low, high = (_number(bound) for bound in mark["fmr_interval"])
    if math.isnan(high) or (scope["non_mated"] * promised < 3 and not low > promised):
        finding = Finding.TOO_FEW
    elif high <= promised:
        finding = Finding.KEPT
    elif low > promised:
        finding = Finding.BROKEN
    else:
        finding = Finding.PLAUSIBLE
    return CheckedPromise(percent, str(scope["name"]), promised, fmr, low, high, int(scope["non_mated"]), finding)


def _evidence(scope: Mapping[str, Any], fmr: float, percent: int, extrapolate: bool) -> Evidence:
    target = _target(scope, fmr)
    name = str(scope["name"])
    if target["supported"]:
        upper = _number(target["threshold_interval"][1])
        threshold = _number(target["threshold"])
        return Evidence(
            name, fmr, scope["people"], scope["non_mated"], threshold, max(threshold, upper), extrapolated=False
        )
    if not extrapolate:
        whom = f"group {name!r}" if name else "random pairs"
        raise CalibrationError(
            f"{percent} % promises a false match rate of {fmr:g} ({whom}), which takes at least {math.ceil(3 / fmr):,} "
            f"non-mated comparisons; there are {scope['non_mated']:,}. Give more photos of more people, or "
            "extrapolate (--extrapolate), which the curve will say of itself"
        )
    threshold, upper = _extrapolated(scope, fmr)
    return Evidence(name, fmr, scope["people"], scope["non_mated"], threshold, upper, extrapolated=True)


def _extrapolated(scope: Mapping[str, Any], fmr: float) -> tuple[float, float]:
    """Continue threshold over log10(FMR) in a straight line from the two lowest rates that the data carry.

    The tails of cosine scores fall faster than exponentially (nearly as a normal distribution), so the straight line
    errs on the safe side.
    """
    known = [target for target in scope["fmr_targets"] if target["supported"]]
    if len(known) < 2:
        raise CalibrationError(
            f"{scope['non_mated']:,} non-mated comparisons are too few even to extrapolate from; "
            "at least 3,000 are needed"
        )
    before, last = known[-2:]
    decades = math.log10(last["fmr"] / fmr) / math.log10(before["fmr"] / last["fmr"])

    def continued(first: float, second: float) -> float:
        return min(second + (second - first) * decades, 0.99)

    upper_last = max(_number(last["threshold_interval"][1]), _number(last["threshold"]))
    threshold = continued(_number(before["threshold"]), _number(last["threshold"]))
    return threshold, max(threshold + upper_last - _number(last["threshold"]), threshold)


def _target(scope: Mapping[str, Any], fmr: float) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(target for target in scope["fmr_targets"] if math.isclose(target["fmr"], fmr))
    return found


def _counts(scope: Mapping[str, Any]) -> dict[str, Any]:
    return {key: scope[key] for key in ("name", "people", "photos", "mated", "non_mated")}


def _number(value: float | None) -> float:
    """A number of a report, where JSON's null stands for "cannot be said"."""
    return float("nan") if value is None else float(value)
