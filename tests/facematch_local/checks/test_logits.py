"""Probabilities on the scale of logits, including 0 and 1."""

from __future__ import annotations

import math

import pytest

from facematch_local.checks.logits import expit, logit, lowered


@pytest.mark.parametrize("probability", [0.001, 0.25, 0.5, 0.9])
def test_expit_inverts_logit(probability: float) -> None:
    assert expit(logit(probability)) == pytest.approx(probability)


def test_known_values() -> None:
    assert logit(0.5) == 0.0
    assert logit(0.75) == pytest.approx(math.log(3))
    assert lowered(0.75, math.log(3)) == pytest.approx(0.5)
    assert lowered(0.3, 0.0) == 0.3


def test_the_ends_are_clipped() -> None:
    assert logit(0.0) == pytest.approx(-math.log(999_999), rel=1e-6)
    assert logit(1.0) == pytest.approx(math.log(999_999), rel=1e-6)
    assert 0 < lowered(0.0, 5.0) < 1e-6
    assert 0.9 < lowered(1.0, 5.0) < 1
