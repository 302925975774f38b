"""The curve: its shape, its refusal on small data, and its promises on other people."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facematch_local.calibration import GENERIC, Calibration, as_calibration, load_calibration
from facematch_local.evaluation.verification import calibrate as calibration
from facematch_local.evaluation.verification.calibrate import (
    Anchor,
    CalibrationError,
    curve,
    fit,
)
from facematch_local.evaluation.verification.data import scope_data
from facematch_local.evaluation.verification.evaluate import evaluate
from facematch_local.evaluation.verification.promises import PromiseStatus, check
from facematch_local.evaluation.verification.scope import mark_threshold


def report_of(sample: Any, curve: Calibration = GENERIC, replicates: int = 60) -> dict[str, Any]:
    evaluation = evaluate(sample.dataset, sample.embeddings, curve, replicates)
    return {
        "tool": "test",
        "pack": {"name": "sample", "version": "1", "recogniser_sha256": "ab" * 32},
        "dataset": {"name": "sample"},
        "fta": 0.0,
        "overall": scope_data(evaluation.overall),
        "groups": [scope_data(scope) for scope in evaluation.groups.values()],
    }


@pytest.fixture(scope="module")
def report(population: Callable[..., Any]) -> dict[str, Any]:
    return report_of(population({"": 350, "alike": 40}, photos=4))


@pytest.fixture(scope="module")
def content(report: dict[str, Any]) -> dict[str, Any]:
    return fit(report, date="2026-01-02")


def test_other_people_get_what_the_curve_promises(content: dict[str, Any], population: Callable[..., Any]) -> None:
    others = report_of(population({"": 350, "alike": 40}, photos=4, seed=77), as_calibration(content))
    results = check(others)
    assert {(item.percent, item.scope) for item in results} == {(65, ""), (65, "alike"), (75, ""), (75, "alike")}
    for item in results:
        assert item.fmr <= 2 * item.promised
        assert item.status is not PromiseStatus.BROKEN


@pytest.mark.slow
def test_the_harder_group_decides_and_without_it_the_promise_would_be_broken(
    content: dict[str, Any], population: Callable[..., Any]
) -> None:
    assert [anchor["decided_by"] for anchor in content["anchors"]] == ["alike", "alike"]
    blind = as_calibration(fit(report_of(population({"": 350}, photos=4)), date="2026-01-02"))
    broken = check(report_of(population({"": 350, "alike": 40}, photos=4, seed=77), blind))
    assert any(item.scope == "alike" and item.status is PromiseStatus.BROKEN for item in broken)


def test_a_group_of_few_people_decides_only_where_there_is_no_larger_one(population: Callable[..., Any]) -> None:
    def scopes(groups: dict[str, int]) -> set[str]:
        content = fit(report_of(population(groups, photos=16), replicates=5), date="2026-01-02", extrapolate=True)
        return {item["scope"] for anchor in content["anchors"] for item in anchor["evidence"]}

    assert scopes({"": 60, "alike": 12, "few": 6}) == {"", "alike"}
    assert scopes({"": 60, "few": 6}) == {"", "few"}


def test_the_curve_rises_from_0_to_100_through_the_marks(content: dict[str, Any]) -> None:
    fitted = as_calibration(content)
    assert fitted.percent(-0.3) == fitted.percent(0.0) == 0.0
    assert fitted.percent(1.0) == fitted.percent(float(np.float32(0.9999999))) == 100.0
    for anchor in content["anchors"]:
        assert fitted.percent(anchor["cosine"]) == anchor["percent"]
    percents = [fitted.percent(cosine) for cosine in np.linspace(0, 1, 301)]
    assert percents == sorted(percents)
    # Typical customers read well above the mark, typical strangers well below it.
    assert fitted.percent(content_median(content)) > 80


def content_median(content: dict[str, Any]) -> float:
    return next(knot["cosine"] for knot in content["curve"] if knot["percent"] == 90.0)


def test_the_file_can_be_read_back(content: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(content, allow_nan=False), "utf-8")
    assert load_calibration(path) == as_calibration(content)
    assert content["recogniser_sha256"] == "ab" * 32
    assert content["data"]["groups"][0]["people"] == 40
    assert content["extrapolated"] is False


def test_the_marks_are_those_of_the_printed_percent(content: dict[str, Any]) -> None:
    fitted = as_calibration(content)
    for percent, allowed in ((65, 65.0), (75, 75.01)):
        threshold = mark_threshold(fitted, percent)
        assert fitted.percent(threshold) >= allowed
        assert fitted.percent(threshold - 1e-7) < allowed


def test_too_few_people_are_refused_with_the_reason(population: Callable[..., Any]) -> None:
    with pytest.raises(CalibrationError, match="20 people are too few"):
        fit(report_of(population({"": 20}), replicates=20), date="2026-01-02")


def test_too_few_pairs_are_refused_and_extrapolated_only_on_request(population: Callable[..., Any]) -> None:
    report = report_of(population({"": 100}, photos=4))
    with pytest.raises(CalibrationError, match="300,000 non-mated"):
        fit(report, date="2026-01-02")
    content = fit(report, date="2026-01-02", extrapolate=True)
    assert content["extrapolated"] is True
    assert [anchor["extrapolated"] for anchor in content["anchors"]] == [False, True]
    # The straight line errs on the safe side: the true threshold, from many more people, lies lower.
    many = fit(report_of(population({"": 350}, photos=4, seed=5)), date="2026-01-02")
    assert content["anchors"][1]["evidence"][0]["threshold"] > many["anchors"][1]["evidence"][0]["threshold"]


def test_named_groups_that_are_too_small_are_refused(population: Callable[..., Any]) -> None:
    with pytest.raises(CalibrationError, match="none has 3 people"):
        fit(report_of(population({"": 350, "tiny": 2}, photos=4), replicates=5), date="2026-01-02")
    with pytest.raises(CalibrationError, match="group 'tiny'"):
        fit(report_of(population({"": 350, "tiny": 4}, photos=4), replicates=5), date="2026-01-02")


@pytest.mark.parametrize(
    ("rates", "non_mated", "status"),
    [
        ((0.0005, 0.0001, 0.0009), 100_000, PromiseStatus.KEPT),
        ((0.0009, 0.0004, 0.0012), 100_000, PromiseStatus.PLAUSIBLE),
        ((0.0040, 0.0020, 0.0080), 100_000, PromiseStatus.BROKEN),
        ((0.0, 0.0, 0.0009), 2_999, PromiseStatus.TOO_FEW),
        ((0.0, 0.0, 0.0010), 3_000, PromiseStatus.KEPT),
        # Few comparisons suffice to refute a promise.
        ((0.0200, 0.0100, 0.0400), 500, PromiseStatus.BROKEN),
        ((0.0005, None, None), 100_000, PromiseStatus.TOO_FEW),
    ],
)
def test_a_promise_is_checked_by_the_interval_of_its_rate(
    rates: tuple[float, float | None, float | None], non_mated: int, status: PromiseStatus
) -> None:
    fmr, low, high = rates
    mark = {"fmr": fmr, "fmr_interval": [low, high]}
    scope = {"name": "", "non_mated": non_mated, "at_percent": {"65": mark, "75": mark}}
    at65, at75 = check({"overall": scope, "groups": []})
    assert (at65.percent, at65.promised, at65.status) == (65, 1e-3, status)
    assert (at75.percent, at75.promised) == (75, 1e-5)
    assert at75.status is not PromiseStatus.KEPT


@pytest.mark.parametrize("typical", [float("nan"), 0.2, 0.5, 0.7, 0.99])
@pytest.mark.parametrize("marks", [(0.1, 0.13), (0.35, 0.4), (0.7, 0.9)])
def test_any_marks_make_a_valid_curve(typical: float, marks: tuple[float, float]) -> None:
    anchors = [Anchor(percent, cosine, "", False, ()) for percent, cosine in zip((65, 75), marks, strict=True)]
    cosines, percents = curve(anchors, typical)
    Calibration("sample", tuple(cosines), tuple(percents))
    assert percents[np.searchsorted(cosines, marks[0])] == 65
    assert percents[np.searchsorted(cosines, marks[1])] == 75


def test_the_curve_between_the_marks_is_a_monotone_cubic() -> None:
    anchors = [Anchor(65, 0.33, "", False, ()), Anchor(75, 0.38, "", False, ())]
    cosines, percents = curve(anchors, 0.62)
    # Values of this project's own PCHIP, before scipy's replaced it.
    known = {
        0.0825: 16.0989, 0.20625: 40.458, 0.3425: 67.7086, 0.36125: 71.9221,
        0.44: 80.5434, 0.53: 86.1791, 0.715: 93.5306, 0.8575: 97.8817,
    }  # fmt: skip
    for cosine, percent in known.items():
        assert percents[np.argmin(np.abs(cosines - cosine))] == pytest.approx(percent, abs=1e-4)


def test_the_built_in_curves_carry_their_evidence() -> None:
    files = sorted((Path(calibration.__file__).parents[2] / "calibrations").glob("*.json"))
    assert files
    for file in files:
        content = json.loads(file.read_text("utf-8"))
        fitted = load_calibration(file)
        assert fitted.recogniser_sha256
        assert content["extrapolated"] is False
        for anchor in content["anchors"]:
            assert {item["scope"] == "" for item in anchor["evidence"]} == {True, False}
            assert anchor["cosine"] >= max(item["upper"] for item in anchor["evidence"])
            assert fitted.percent(anchor["cosine"]) == anchor["percent"]
