"""Counting, intervals, and the result of one case."""

from __future__ import annotations

import math

import pytest

from facematch_local.checks import Measure, Role
from facematch_local.codes import WarningCode
from facematch_local.evaluation.warnings.cases import Case
from facematch_local.evaluation.warnings.figures import CaseResult, Rate, figures, judge
from facematch_local.policy import load_policy


def _case(code: int, positive: bool = True, kind: str = "", synthetic: bool = False) -> Case:
    return Case("a", WarningCode(code), positive, Role.PORTRAIT, kind, synthetic, lambda: b"")


def _result(case: Case, raised: bool, assessed: bool = True) -> CaseResult:
    return CaseResult(case, raised, assessed, 0.0, "")


def test_wilson_interval() -> None:
    # Wilson (1927), as printed in textbooks for 8 of 10: 0.490 to 0.943.
    assert Rate(8, 10).interval == pytest.approx((0.4902, 0.9433), abs=5e-5)
    assert Rate(0, 10).interval == pytest.approx((0.0, 0.2775), abs=5e-5)
    assert Rate(10, 10).interval == pytest.approx((0.7225, 1.0), abs=5e-5)
    assert str(Rate(8, 10)) == "8/10 = 80.0 % [49.0, 94.3]"


def test_without_cases_a_rate_is_unknown() -> None:
    assert Rate(0, 0).interval == (0.0, 1.0)
    assert math.isnan(Rate(0, 0).value)
    assert str(Rate(0, 0)) == "-"


def test_hits_and_alarms_are_counted_by_code_and_by_kind() -> None:
    results = [
        _result(_case(9, True, "mask"), True),
        _result(_case(9, True, "scarf"), False),
        _result(_case(9, False, "mask"), True),
        _result(_case(9, False, "bare"), False, assessed=False),
        _result(_case(9, True, "drawn", synthetic=True), True),
        _result(_case(8, True, "hat"), True),
    ]
    found = [(int(f.code), f.synthetic, f.found, f.alarms, f.not_assessed) for f in figures(results)]
    assert found == [
        (8, False, Rate(1, 1), Rate(0, 0), 0),
        (9, False, Rate(1, 2), Rate(1, 2), 1),
        (9, True, Rate(1, 1), Rate(0, 0), 0),
    ]
    by_kind = [(f.kind, f.found, f.alarms) for f in figures(results, by_kind=True) if f.code == 9 and not f.synthetic]
    assert by_kind == [
        ("bare", Rate(0, 0), Rate(0, 1)),
        ("mask", Rate(1, 1), Rate(1, 1)),
        ("scarf", Rate(0, 1), Rate(0, 0)),
    ]


def _judged(case: Case, value: float | None) -> CaseResult:
    measure = Measure.not_assessed("no face") if value is None else Measure(value)
    return judge(case, load_policy().judge(1, Role.PORTRAIT, {"blur": measure, "noise": Measure(2.0)}))


def test_the_result_of_a_code_is_that_of_its_measures() -> None:
    limit = load_policy().limits[Role.PORTRAIT]["blur"].maximum
    assert limit is not None
    sharp, blurred = _judged(_case(10), limit / 2), _judged(_case(10), 1.5 * limit)
    assert (sharp.raised, sharp.assessed, sharp.right) == (False, True, False)
    assert (blurred.raised, blurred.right) == (True, True)
    assert blurred.excess == pytest.approx(0.5)
    # The worst measure counts: noise lies 0.9 within its limit, blur only 0.5.
    assert sharp.excess == pytest.approx(-0.5)
    assert sharp.measures == f"blur {limit / 2:.3g}, noise 2"
    unknown = _judged(_case(10), None)
    assert (unknown.raised, unknown.assessed, unknown.measures) == (False, True, "blur ?, noise 2")


def test_code_0_asks_for_any_warning_and_names_only_those() -> None:
    assert _judged(_case(0, False), 0.1).right
    blurred = _judged(_case(0, False), 0.95)
    assert (blurred.raised, blurred.right, blurred.measures) == (True, False, "blur 0.95")


def test_a_code_without_a_measure_is_not_assessed() -> None:
    result = _judged(_case(9), 0.1)
    assert (result.raised, result.assessed, result.excess, result.measures) == (False, False, -1.0, "")


def test_the_excess_over_a_lower_limit_is_a_share_of_it() -> None:
    limit = load_policy().limits[Role.PORTRAIT]["inter_eye_distance"].minimum
    assert limit is not None
    for value, excess in ((limit / 2, 0.5), (1.25 * limit, -0.25)):
        findings = load_policy().judge(1, Role.PORTRAIT, {"inter_eye_distance": Measure(value)})
        result = judge(_case(11), findings)
        assert result.excess == pytest.approx(excess)
        assert result.raised is (excess > 0)
