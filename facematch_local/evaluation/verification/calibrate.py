"""A calibration curve from cosine to percent, from the data of a report.

A threshold estimated from a sample keeps its promise (see `promises`) for other people only half of the time. The curve
therefore uses the upper end of its 95 % interval over resampled people (see `bootstrap`), which is wider with fewer
people. Everything here works on the plain data of a report (`data.as_data`), so that a curve can be computed from an
old report without its photos.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facematch_local.calibration import as_calibration
from facematch_local.errors import FacematchError
from facematch_local.evaluation.verification.promises import PROMISES, number
from facematch_local.evaluation.verification.rates import RULE_OF_3

FORMAT = 1

MIN_PEOPLE = 3
"""Smallest number of people of a group: two people form a single pair of people."""

ENOUGH_PEOPLE = 8
"""The hardest group of at least this many people decides; smaller ones are only reported. Six people form fifteen
pairs: the upper end of their interval reflects their small number, not how alike they are."""

MIN_EXPECTED_ERRORS = 10
"""A group has enough pairs for a rate if at least this many errors are expected. With ten, the upper 95 % limit is 1.8
times the estimate (Poisson); with fewer, a few photos would decide the mark for everyone."""

MIN_PEOPLE_OVERALL = 30

MIN_GAP = 0.03
"""Smallest distance in cosine between the marks, so that "unsure" remains a range that occurs."""

TYPICAL_PERCENT = 90.0
"""Percent of the median mated comparison if it lies far enough above the 75 % mark: half of all mated comparisons then
print 90 or more, and the scale from 75 to 90 remains for the difficult ones."""


class CalibrationError(FacematchError):
    """The data do not suffice for a curve; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The threshold that one population demands for a mark.

    Attributes:
        scope: the group, "" for random pairs.
        fmr: the promised rate.
        people, non_mated: numbers of people and of non-mated comparisons.
        threshold: cosine at which the sample itself keeps the promise.
        upper: upper end of the 95 % interval of that threshold, which decides.
        extrapolated: True if the sample is too small for the rate and the value was extrapolated from higher rates.
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
    """A mark of the scale.

    Attributes:
        percent: 65 or 75.
        cosine: its position.
        decided_by: the population with the highest threshold.
        extrapolated: whether any evidence is extrapolated.
        evidence: the thresholds of all populations.
    """

    percent: int
    cosine: float
    decided_by: str
    extrapolated: bool
    evidence: tuple[Evidence, ...]


def anchors(report: Mapping[str, Any], extrapolate: bool = False) -> tuple[Anchor, ...]:
    """The marks that keep all promises.

    Args:
        report: data of `data.as_data`.
        extrapolate: extrapolate to rates that the data do not support, and mark the result.

    Raises:
        CalibrationError: the data do not support a promised rate, and `extrapolate` is not set.
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
            _evidence(group, promise.group, promise.percent, extrapolate)
            for group in _deciding_groups(groups, promise.group)
        ]
        decisive = max(evidence, key=lambda item: item.upper)
        # Rounded up to 1e-4, and 1e-4 more: the printed percent is rounded to two decimals.
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


def _deciding_groups(groups: Sequence[Mapping[str, Any]], fmr: float) -> list[Mapping[str, Any]]:
    """The groups with enough people and pairs for a rate; without such a group, the one with the most pairs."""
    large = [group for group in groups if group["people"] >= MIN_PEOPLE]
    if groups and not large:
        raise CalibrationError(f"groups are named, but none has {MIN_PEOPLE} people or more")
    large = [group for group in large if group["people"] >= ENOUGH_PEOPLE] or large
    enough = [group for group in large if group["non_mated"] * fmr >= MIN_EXPECTED_ERRORS]
    # Named groups demand the second promise; the largest supports it best.
    return enough or sorted(large, key=lambda group: int(group["non_mated"]))[-1:]


def curve(marks: Sequence[Anchor], typical: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The curve: cosines and percents of its knots, (K,) float64 each, strictly increasing.

    It is a monotone cubic (PCHIP; Fritsch & Butland 1984) through (0, 0), the marks, `TYPICAL_PERCENT` at the median
    mated comparison, and (1, 100), sampled as a fine polyline.

    Args:
        marks: the anchors.
        typical: median cosine of mated comparisons; NaN if unknown.
    """
    last = marks[-1].cosine
    if not 0 < marks[0].cosine < last < 0.95:
        raise CalibrationError(
            f"the marks lie at {marks[0].cosine} and {last}; a curve needs them in increasing order between 0 and 0.95"
        )
    from scipy.interpolate import PchipInterpolator  # takes a quarter of a second

    # A median too close to the mark (or unknown) would cause a steep step; the scale is then divided evenly.
    lowest = last + 0.25 * (1 - last)
    top = min(max(typical, lowest), 0.5 * (last + 1) + 0.2 * (1 - last)) if math.isfinite(typical) else lowest
    cosines = np.array([0.0, *(mark.cosine for mark in marks), top, 1.0])
    percents = np.array([0.0, *(float(mark.percent) for mark in marks), TYPICAL_PERCENT, 100.0])
    steps = [np.linspace(low, high, 9)[:-1] for low, high in itertools.pairwise(cosines)]
    at = np.append(np.concatenate(steps), 1.0)
    values = np.asarray(PchipInterpolator(cosines, percents)(at), np.float64)
    for cosine, percent in zip(cosines, percents, strict=True):
        values[np.argmin(np.abs(at - cosine))] = percent
    return np.round(at, 5), np.round(values, 4)


def fit(
    report: Mapping[str, Any],
    *,
    date: str,
    extrapolate: bool = False,
) -> dict[str, Any]:
    """The content of a calibration file (see docs/accuracy.md) from a report.

    Args:
        report: data of `data.as_data`.
        date: of the calibration, ISO 8601.
        extrapolate: see `anchors`.

    Raises:
        CalibrationError: the data do not suffice.
    """
    marks = anchors(report, extrapolate)
    cosines, percents = curve(marks, number(report["overall"]["mated_median"]))
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
    as_calibration(content)  # an invalid curve fails here and not at the start of a service
    return content


def _evidence(scope: Mapping[str, Any], fmr: float, percent: int, extrapolate: bool) -> Evidence:
    target = _target(scope, fmr)
    name = str(scope["name"])
    if target["supported"]:
        upper = number(target["threshold_interval"][1])
        threshold = number(target["threshold"])
        return Evidence(
            name, fmr, scope["people"], scope["non_mated"], threshold, max(threshold, upper), extrapolated=False
        )
    if not extrapolate:
        whom = f"group {name!r}" if name else "random pairs"
        raise CalibrationError(
            f"{percent} % promises a false match rate of {fmr:g} ({whom}), which needs at least "
            f"{math.ceil(RULE_OF_3 / fmr):,} non-mated comparisons; there are {scope['non_mated']:,}. Use more photos "
            "of more people, or extrapolate (--extrapolate), which the calibration file records"
        )
    threshold, upper = _extrapolated(scope, fmr)
    return Evidence(name, fmr, scope["people"], scope["non_mated"], threshold, upper, extrapolated=True)


def _extrapolated(scope: Mapping[str, Any], fmr: float) -> tuple[float, float]:
    """Extrapolate threshold over log10(FMR) linearly from the two lowest rates that the data support.

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

    upper_last = max(number(last["threshold_interval"][1]), number(last["threshold"]))
    threshold = continued(number(before["threshold"]), number(last["threshold"]))
    return threshold, max(threshold + upper_last - number(last["threshold"]), threshold)


def _target(scope: Mapping[str, Any], fmr: float) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(target for target in scope["fmr_targets"] if math.isclose(target["fmr"], fmr))
    return found


def _counts(scope: Mapping[str, Any]) -> dict[str, Any]:
    return {key: scope[key] for key in ("name", "people", "photos", "mated", "non_mated")}
