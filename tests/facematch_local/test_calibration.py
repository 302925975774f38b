"""Cosine to percent to verdict: the contract's edges, exactly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facematch_local.calibration import GENERIC, Calibration, Verdict, load_calibration, verdict
from facematch_local.errors import PolicyError

CURVE = Calibration("test", (0.0, 0.3, 0.4, 1.0), (0.0, 65.0, 75.0, 100.0), recogniser_sha256="ab")
BUILT_IN = sorted((Path(__file__).parents[2] / "facematch_local" / "calibrations").glob("*.json"))


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        (100.0, Verdict.MATCH),
        (75.01, Verdict.MATCH),
        (75.0, Verdict.UNSURE),
        (65.0, Verdict.UNSURE),
        (64.99, Verdict.NO_MATCH),
        (0.0, Verdict.NO_MATCH),
        (float("nan"), Verdict.NO_MATCH),
    ],
)
def test_verdict(percent: float, expected: Verdict) -> None:
    assert verdict(percent) is expected


def test_verdicts_have_the_numbers_of_the_contract() -> None:
    assert [Verdict.MATCH.value, Verdict.UNSURE.value, Verdict.NO_MATCH.value] == [1, 0, -1]


def test_the_verdict_is_that_of_the_printed_number() -> None:
    # 75.004 is printed as 75.00, and 75.00 is not above 75; 64.996 is printed as 65.00.
    for percent, printed, expected in [
        (75.004, "75.00", Verdict.UNSURE),
        (75.006, "75.01", Verdict.MATCH),
        (64.996, "65.00", Verdict.UNSURE),
        (64.994, "64.99", Verdict.NO_MATCH),
    ]:
        actual = CURVE.percent(CURVE.cosine(percent))
        assert f"{actual:.2f}" == printed
        assert verdict(actual) is expected


@given(st.floats(-1, 1))
def test_reading_the_printed_number_back_gives_the_same_verdict(cosine: float) -> None:
    percent = CURVE.percent(cosine)
    assert float(f"{percent:.2f}") == percent
    assert verdict(float(f"{percent:.2f}")) is verdict(percent)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_percent_never_falls(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert 0.0 <= CURVE.percent(low) <= CURVE.percent(high) <= 100.0


@given(st.floats(0.1, 99.9))
def test_cosine_and_percent_are_inverse(percent: float) -> None:
    assert CURVE.percent(CURVE.cosine(percent)) == pytest.approx(percent, abs=0.006)


def test_ends() -> None:
    assert CURVE.percent(1.0) == 100.0
    assert CURVE.percent(1.0 + 1e-6) == 100.0
    assert CURVE.percent(0.99999994) == 100.0  # float32 product of an embedding with itself
    assert CURVE.percent(0.0) == CURVE.percent(-0.5) == 0.0


def test_what_is_no_number_never_matches() -> None:
    assert CURVE.percent(float("nan")) == 0.0


@pytest.mark.parametrize(
    ("cosines", "percents"),
    [
        ((), ()),
        ((0.0,), (0.0,)),
        ((0.0, 1.0), (0.0,)),
        ((0.0, 0.5, 0.5, 1.0), (0.0, 50.0, 60.0, 100.0)),
        ((0.0, 0.5, 1.0), (0.0, 100.0, 100.0)),
        ((0.1, 1.0), (0.0, 100.0)),
        ((0.0, 0.9), (0.0, 100.0)),
        ((0.0, float("nan"), 1.0), (0.0, 50.0, 100.0)),
        ((0.0, 0.6, 0.5, 1.0), (0.0, 50.0, 60.0, 100.0)),
    ],
)
def test_a_curve_must_rise_from_end_to_end(cosines: tuple[float, ...], percents: tuple[float, ...]) -> None:
    with pytest.raises(PolicyError, match="must rise strictly"):
        Calibration("bad", cosines, percents)


def test_the_generic_curve_says_that_it_is_generic() -> None:
    assert not GENERIC.calibrated
    assert CURVE.calibrated


def test_load(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    knots = [{"cosine": c, "percent": p} for c, p in zip(CURVE.cosines, CURVE.percents, strict=True)]
    path.write_text(json.dumps({"id": "test", "curve": knots, "recogniser_sha256": "ab", "more": "is ignored"}))
    assert load_calibration(path) == CURVE


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": "x"}', '{"id": "x", "curve": []}', '{"id": "x", "curve": 3}'])
def test_load_refuses_other_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(PolicyError):
        load_calibration(path)
    with pytest.raises(PolicyError):
        load_calibration(tmp_path / "missing.json")


@pytest.mark.parametrize("path", BUILT_IN, ids=lambda path: path.stem)
def test_built_in_curves_are_whole(path: Path) -> None:
    calibration = load_calibration(path)
    assert 65.0 in calibration.percents
    assert 75.0 in calibration.percents
    assert len(calibration.recogniser_sha256) == 64
