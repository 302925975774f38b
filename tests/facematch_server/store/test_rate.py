"""Requests per minute, with a clock that the test moves."""

from __future__ import annotations

import pytest

from facematch_server.store.rate import RateLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_quiet_key_sends_its_minute_at_once_and_then_evenly(clock: Clock) -> None:
    limiter = RateLimiter(clock)
    assert [limiter.allow(1, 30) for _ in range(30)] == [0.0] * 30
    assert limiter.allow(1, 30) == pytest.approx(2.0)
    clock.now += 0.5
    assert limiter.allow(1, 30) == pytest.approx(1.5)
    clock.now += 1.5
    assert limiter.allow(1, 30) == 0.0
    assert limiter.allow(1, 30) == pytest.approx(2.0)


def test_no_more_than_a_minute_is_saved_up(clock: Clock) -> None:
    limiter = RateLimiter(clock)
    assert limiter.allow(1, 2) == 0.0
    clock.now += 3600
    assert [limiter.allow(1, 2) for _ in range(3)] == [0.0, 0.0, pytest.approx(30.0)]


def test_a_lowered_limit_counts_at_once(clock: Clock) -> None:
    limiter = RateLimiter(clock)
    assert limiter.allow(1, 100) == 0.0
    assert [limiter.allow(1, 1) for _ in range(2)] == [0.0, pytest.approx(60.0)]


def test_whoever_waited_as_long_as_stated_may_send(clock: Clock) -> None:
    limiter = RateLimiter(clock)
    for _ in range(50):
        wait = limiter.allow(1, 7)
        clock.now += wait
        assert not wait or limiter.allow(1, 7) == 0.0


def test_keys_count_apart_and_a_key_without_a_limit_does_not_count(clock: Clock) -> None:
    limiter = RateLimiter(clock)
    assert [limiter.allow(key, 1) for key in (1, 2)] == [0.0, 0.0]
    assert limiter.allow(1, 1) > 0
    assert [limiter.allow(1, None) for _ in range(5)] == [0.0] * 5
    assert limiter.allow(1, 1) == 0.0  # its bucket was forgotten
