"""Quotas and rate limits: reserved, counted once, given back, shared."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from facematch_server.store import (
    KeySettings,
    Period,
    Reservation,
    Store,
    UnavailableError,
)
from tests.facematch_server.store.key_steps import everything_stored, known, spend


def test_a_quota_is_used_up_by_commits_and_reservations(store: Store) -> None:
    key = known(store, store.create_key(KeySettings(quota=3)))
    first, second, third = (store.reserve(key, 60) for _ in range(3))
    assert first
    assert second
    assert third
    assert store.reserve(key, 60) is None
    store.release(second)
    again = store.reserve(key, 60)
    assert again
    assert store.commit(first)
    assert store.commit(third)
    assert store.commit(again)
    assert store.reserve(key, 60) is None
    usage = store.usage(key.api_key)
    assert (usage.today, usage.month, usage.total, usage.reserved, usage.remaining) == (3, 3, 3, 0, 0)


@pytest.mark.parametrize("quota", [5, None])
def test_settling_twice_counts_once(store: Store, quota: int | None) -> None:
    key = known(store, store.create_key(KeySettings(quota=quota)))
    first, second = store.reserve(key, 60), store.reserve(key, 60)
    assert first
    assert second
    assert store.commit(first)
    assert not store.commit(first)
    store.release(first)
    store.release(second)
    assert not store.commit(second)
    assert store.usage(key.api_key).total == 1


def test_a_copy_of_a_reservation_counts_once_too(open_store: Callable[[], Store]) -> None:
    first, second = open_store(), open_store()
    key = known(first, first.create_key(KeySettings(quota=5)))
    reservation = first.reserve(key, 60)
    assert reservation
    copy = Reservation(reservation.id, reservation.key_id, reservation.day, reservation.limited)
    assert first.commit(reservation)
    assert not second.commit(copy)
    assert second.usage(key.api_key).total == 1


def test_expired_reservations_are_given_back_and_late_commits_still_count(store: Store, clock: Any) -> None:
    key = known(store, store.create_key(KeySettings(quota=2)))
    late, lost = store.reserve(key, 60), store.reserve(key, 60)
    assert late
    assert lost
    clock.forward(seconds=61)
    assert store.usage(key.api_key).remaining == 2
    assert store.commit(late)  # expired, but not replaced yet
    assert spend(store, key)  # takes the place of `lost`
    assert store.reserve(key, 60) is None
    assert not store.commit(lost)
    store.release(lost)
    assert store.usage(key.api_key).total == 2


def test_a_quota_of_zero_refuses_and_none_never_does(store: Store) -> None:
    assert store.reserve(known(store, store.create_key(KeySettings(quota=0))), 60) is None
    key = known(store, store.create_key(KeySettings(quota=None)))
    assert all(spend(store, key) for _ in range(20))
    usage = store.usage(key.api_key)
    assert (usage.total, usage.remaining, usage.resets_at) == (20, None, None)


def test_days_and_months_are_those_of_utc(store: Store, clock: Any) -> None:
    # The clock starts ten minutes before the end of March, UTC.
    periods = (Period.DAY, Period.MONTH, Period.TOTAL)
    daily, monthly, total = (known(store, store.create_key(KeySettings(quota=1, period=period))) for period in periods)
    keys = (daily, monthly, total)
    assert [spend(store, key) for key in keys] == [True] * 3
    assert [spend(store, key) for key in keys] == [False] * 3
    midnight = datetime(2026, 4, 1, tzinfo=UTC)
    assert [store.usage(key.api_key).resets_at for key in keys] == [midnight, midnight, None]
    clock.forward(minutes=9, seconds=59)
    assert [spend(store, key) for key in keys] == [False] * 3
    clock.forward(seconds=1)
    assert [spend(store, key) for key in keys] == [True, True, False]
    clock.forward(days=1)
    assert [spend(store, key) for key in keys] == [True, False, False]
    usage = store.usage(daily.api_key)
    assert (usage.today, usage.month, usage.total) == (1, 2, 3)
    clock.forward(days=29)
    assert store.usage(monthly.api_key).resets_at == datetime(2026, 6, 1, tzinfo=UTC)


def test_a_request_counts_on_the_day_it_was_reserved(store: Store, clock: Any) -> None:
    key = known(store, store.create_key(KeySettings(quota=1, period=Period.DAY)))
    over_midnight = store.reserve(key, 3600)
    assert over_midnight
    clock.forward(minutes=11)
    today = store.reserve(key, 3600)
    assert today
    assert store.commit(over_midnight)
    assert store.commit(today)
    usage = store.usage(key.api_key)
    assert (usage.today, usage.total) == (1, 2)


def test_a_changed_quota_holds_at_once_even_for_a_key_authenticated_before(store: Store) -> None:
    key = known(store, store.create_key(KeySettings(quota=1)))
    assert spend(store, key)
    store.set_quota(key.api_key, 2)
    assert spend(store, key)
    assert not spend(store, key)
    store.set_quota(key.api_key, None)
    assert spend(store, key)
    store.set_quota(key.api_key, 1)
    assert not spend(store, key)
    assert store.usage(key.api_key).remaining == 0


def test_threads_of_one_process_share_a_quota_exactly(store: Store) -> None:
    key = known(store, store.create_key(KeySettings(quota=25)))
    barrier = threading.Barrier(8)

    def run(_: int) -> int:
        barrier.wait()
        return sum(spend(store, key) for _ in range(6))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(run, range(8))) == 25
    assert store.usage(key.api_key).total == 25


def test_an_unlimited_reservation_writes_nothing_before_the_commit(store: Store, database_url: str) -> None:
    key = known(store, store.create_key())
    before = everything_stored(database_url)
    reservation = store.reserve(key, 60)
    assert reservation
    assert everything_stored(database_url) == before


def test_a_failed_commit_can_be_repeated(store: Store, database_url: str) -> None:
    for quota in (None, 5):
        key = known(store, store.create_key(KeySettings(quota=quota)))
        reservation = store.reserve(key, 60)
        assert reservation
        engine = create_engine(database_url)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE usage RENAME TO usage2"))
        with pytest.raises(UnavailableError):
            store.commit(reservation)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE usage2 RENAME TO usage"))
        engine.dispose()
        assert store.commit(reservation)
        assert store.usage(key.api_key).total == 1


def test_rate_limit_lets_a_burst_through_then_says_how_long_to_wait() -> None:
    from facematch_server.store.rate import RateLimiter

    now = 0.0
    limiter = RateLimiter(lambda: now)
    assert [limiter.allow(1, 30) for _ in range(30)] == [0.0] * 30
    assert limiter.allow(1, 30) == pytest.approx(2.0)
    assert limiter.allow(2, 30) == 0.0
    assert limiter.allow(3, None) == 0.0
    for _ in range(100):  # a client that waits as stated is always admitted
        wait = limiter.allow(1, 30)
        assert wait > 0
        now += wait
        assert limiter.allow(1, 30) == 0.0
    now += 3600
    assert sum(limiter.allow(1, 30) == 0.0 for _ in range(40)) == 30
    now += 3600
    assert sum(limiter.allow(1, 5) == 0.0 for _ in range(40)) == 5


def test_the_store_limits_each_key_by_its_own_rate(store: Store) -> None:
    slow, free = known(store, store.create_key(KeySettings(rate_limit=1))), known(store, store.create_key())
    assert store.allow(slow) == 0.0
    assert 0 < store.allow(slow) <= 60
    assert [store.allow(free) for _ in range(5)] == [0.0] * 5
