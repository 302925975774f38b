"""Error rates: which side of the limit counts, and the limit for a rate."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.training.texture.rates import Rate, apcer, bpcer, limit_at, texture_limit


def test_errors_are_missed_recaptures_and_warned_real_photos() -> None:
    scores = np.array([0.1, 0.5, 0.9])
    assert apcer(scores, 0.5) == Rate(2, 3)
    assert bpcer(scores, 0.5) == Rate(1, 3)


def test_the_limit_lets_the_given_share_exceed_it() -> None:
    real = np.arange(100) / 100
    for rate in (0.0, 0.01, 0.05):
        assert bpcer(real, limit_at(real, rate)).errors == round(100 * rate)


def test_a_rate_has_a_wilson_interval() -> None:
    assert str(Rate(0, 25)) == "0 of 25 = 0.0 % [0 %, 13 %]"
    assert str(Rate(0, 0)) == "0 of 0"


def test_the_limit_of_the_texture_alone_is_that_of_the_policy_with_the_least_of_the_view() -> None:
    assert texture_limit() - 1.5 + 0.7 == pytest.approx(np.log(0.6 / 0.4))
