"""A backup takes the place of a PostgreSQL server that was lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import make_url

from facematch_server.store import ApiKey, KeySettings, Store, UnavailableError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True),
]


@pytest.fixture
def shop(database_url: str) -> Iterator[Store]:
    """A store with the real clock."""
    with closing(Store.open(database_url)) as store:
        yield store


def log_in(store: Store) -> ApiKey:
    new = store.create_key(KeySettings("counted", quota=10))
    key = store.authenticate(new.api_key, new.api_secret)
    assert key is not None
    return key


def use(store: Store, key: ApiKey, times: int = 1) -> None:
    for _ in range(times):
        reservation = store.reserve(key, 60)
        assert reservation is not None
        assert store.commit(reservation)


def eventually(action: Callable[[], Any], seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while True:
        try:
            return action()
        except UnavailableError:
            assert time.monotonic() < end
            time.sleep(0.1)


def test_a_restored_server_at_the_same_address_is_used_without_a_restart(shop: Store, postgres: Any) -> None:
    """The counts are those of the backup from then on, and exact."""
    key = log_in(shop)
    use(shop, key, 3)
    backup = replace(postgres, data=postgres.folder / "backup")
    postgres.call("pg_basebackup", "-h", postgres.folder, "-U", "tests", "-D", backup.data, "--checkpoint", "fast")
    use(shop, key)
    held = shop.reserve(key, 60)
    assert held is not None
    postgres.stop()
    try:
        with pytest.raises(UnavailableError):
            shop.reserve(key, 60, time.monotonic() + 2)
        backup.start()
        try:
            assert eventually(lambda: shop.usage(key.api_key)).total == 3
            assert not shop.commit(held)  # the backup does not know of this request, so it is not counted
            use(shop, key, 7)
            assert shop.reserve(key, 60) is None
            usage = shop.usage(key.api_key)
            assert (usage.total, usage.reserved, usage.remaining) == (10, 0, 0)
        finally:
            backup.stop()
    finally:
        postgres.start()
    assert eventually(lambda: shop.usage(key.api_key)).total == 4


def test_a_dump_restored_into_another_database_has_keys_and_counts(
    shop: Store, postgres: Any, database_url: str
) -> None:
    new = shop.create_key(KeySettings("counted", quota=10))
    key = shop.authenticate(new.api_key, new.api_secret)
    assert key is not None
    use(shop, key, 3)
    dump = postgres.folder / "dump"
    place = ["-h", postgres.folder, "-U", "tests"]
    postgres.call("pg_dump", *place, "--format", "custom", "--file", dump, make_url(database_url).database)
    with postgres.new_database() as other:
        postgres.call("pg_restore", *place, "--dbname", make_url(other).database, "--exit-on-error", dump)
        with closing(Store.open(other)) as store:
            found = store.authenticate(new.api_key, new.api_secret)
            assert found == key
            use(store, found, 7)
            assert store.reserve(found, 60) is None
            assert [entry.action for entry in store.audit()] == ["create"]
            # New keys do not take the numbers of the restored ones.
            assert store.create_key().key.id > found.id


def test_connections_that_the_server_ended_are_replaced_unnoticed(shop: Store, postgres: Any) -> None:
    """A restart between two requests costs neither of them."""
    key = log_in(shop)
    use(shop, key)
    postgres.stop()
    postgres.start()
    use(shop, key)
    assert shop.usage(key.api_key).total == 2


def test_a_connection_that_ends_in_the_middle_holds_nothing_half(shop: Store, postgres: Any) -> None:
    """The process of the connection is killed while a reservation waits for a lock."""
    import threading

    from sqlalchemy import create_engine, text

    key = log_in(shop)
    use(shop, key)
    engine = create_engine(shop._engine.url)
    failed: list[type[BaseException]] = []

    def reserve() -> None:
        try:
            shop.reserve(key, 60)
        except UnavailableError as error:
            failed.append(type(error))

    with engine.connect() as connection, connection.begin():
        connection.execute(text("LOCK TABLE reservations IN ACCESS EXCLUSIVE MODE"))
        waiting = threading.Thread(target=reserve)
        waiting.start()
        ended = 0
        while not ended:
            ended = connection.execute(
                text("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            ).scalar_one()
            time.sleep(0.05)
        waiting.join(20)
    engine.dispose()
    assert failed == [UnavailableError]
    eventually(lambda: use(shop, key))
    usage = shop.usage(key.api_key)
    assert (usage.total, usage.reserved) == (2, 0)
