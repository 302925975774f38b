"""Connections to PostgreSQL: how many there are, and a server that has none left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from facematch_server.store import KeySettings, Store, UnavailableError, Why

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True),
]
ROLE = "facematch_three"


@pytest.fixture
def three(database_url: str) -> Iterator[str]:
    """URL of a role that may have three connections."""
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE ROLE {ROLE} LOGIN CONNECTION LIMIT 3"))
        connection.execute(text(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}"))
        connection.execute(text(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {ROLE}"))
        yield make_url(database_url).set(username=ROLE).render_as_string(hide_password=False)
        connection.execute(text(f"DROP OWNED BY {ROLE}"))
        connection.execute(text(f"DROP ROLE {ROLE}"))
    engine.dispose()


def connections(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        asked = text(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{ROLE}'")  # noqa: S608
        number: int = connection.execute(asked).scalar_one()
    engine.dispose()
    return number


def use(store: Store, new: Any) -> bool:
    key = store.authenticate(new.api_key, new.api_secret)
    assert key is not None
    reservation = store.reserve(key, 60)
    return reservation is not None and store.commit(reservation)


def test_a_process_has_no_more_connections_than_told(three: str, database_url: str) -> None:
    with closing(Store.open(three, connections=3)) as store, ThreadPoolExecutor(20) as threads:
        new = store.create_key(KeySettings(quota=1000))
        assert all(threads.map(lambda _: use(store, new), range(200)))
        assert connections(database_url) <= 3
        assert store.usage(new.api_key).total == 200


def test_a_thread_waits_for_a_connection_no_longer_than_told(three: str) -> None:
    with closing(Store.open(three, connections=2)) as store:
        new = store.create_key()
        with ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(store._sessions.read())
            begun = time.monotonic()
            with pytest.raises(UnavailableError) as raised:
                store.look_up(new.api_key, new.api_secret, begun + 0.3)
            assert raised.value.why is Why.SLOW
            assert 0.2 < time.monotonic() - begun < 5
        time.sleep(1.1)
        assert store.look_up(new.api_key, new.api_secret).key is not None


def test_a_server_without_a_connection_left_is_named_as_such(three: str, database_url: str) -> None:
    with closing(Store.open(three, connections=3)) as first, ExitStack() as stack:
        new = first.create_key(KeySettings(quota=10))
        for _ in range(3):
            stack.enter_context(first._sessions.read())
        with pytest.raises(UnavailableError, match="too many connections"):
            Store.open(three)
        stack.close()
        # Its connections stay open, so another process still finds none, and says why.
        with pytest.raises(UnavailableError) as raised:
            Store.open(three)
        assert raised.value.why is Why.CROWDED
        assert use(first, new)
