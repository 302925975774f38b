"""Clocks that were wrong: reservations and counts of a moment far ahead."""

from __future__ import annotations

from typing import Any

import pytest

from facematch_server.store import KeySettings, Period, Store


def test_a_reservation_of_a_clock_far_ahead_blocks_nobody(store: Store, clock: Any) -> None:
    new = store.create_key(KeySettings(quota=1))
    key = store.authenticate(new.api_key, new.api_secret)
    assert key
    right = clock.now
    clock.forward(days=365)
    ahead = store.reserve(key, 60)
    assert ahead
    clock.now = right
    assert store.usage(key.api_key).reserved == 0
    now = store.reserve(key, 60)
    assert now
    assert store.commit(now)
    assert not store.commit(ahead)  # its place was given to another
    assert store.usage(key.api_key).total == 1


def test_a_clock_put_back_a_little_leaves_requests_under_way_alone(store: Store, clock: Any) -> None:
    new = store.create_key(KeySettings(quota=1))
    key = store.authenticate(new.api_key, new.api_secret)
    assert key
    held = store.reserve(key, 60)
    assert held
    clock.forward(minutes=-30)
    assert store.reserve(key, 60) is None
    assert store.commit(held)


@pytest.mark.parametrize("period", [Period.DAY, Period.MONTH])
def test_what_a_clock_far_ahead_counted_counts_then(store: Store, clock: Any, period: Period) -> None:
    new = store.create_key(KeySettings(quota=1, period=period))
    key = store.authenticate(new.api_key, new.api_secret)
    assert key
    right = clock.now
    clock.forward(days=365)
    ahead = store.reserve(key, 60)
    assert ahead
    assert store.commit(ahead)
    clock.now = right
    now = store.reserve(key, 60)
    assert now
    assert store.commit(now)
    usage = store.usage(key.api_key)
    assert (usage.today, usage.total) == (1, 2)


def test_no_reservation_lasts_for_more_than_an_hour(store: Store, clock: Any) -> None:
    new = store.create_key(KeySettings(quota=1))
    key = store.authenticate(new.api_key, new.api_secret)
    assert key
    assert store.reserve(key, 10**6)
    clock.forward(hours=1, seconds=1)
    assert store.reserve(key, 60)
