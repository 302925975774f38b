"""Row locks, which PostgreSQL takes and SQLite ignores: read from the statements."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from facematch_server.store import KeySettings, Store, UnavailableError

# A commit's foreign key check shares the row with this lock; a plain FOR UPDATE would wait for the commit.
LOCK = "FOR NO KEY UPDATE"


@pytest.fixture
def locks() -> Iterator[list[bool]]:
    """Of each statement that reads a key: whether it locks the key's row."""
    seen: list[bool] = []

    def noted(state: Any) -> None:
        text = str(state.statement.compile(dialect=postgresql.dialect()))
        if text.startswith("SELECT") and "WHERE api_keys." in text:
            assert text.endswith(LOCK) or "FOR" not in text
            seen.append(text.endswith(LOCK))

    event.listen(Session, "do_orm_execute", noted)
    yield seen
    event.remove(Session, "do_orm_execute", noted)


@pytest.mark.parametrize(
    ("call", "locked"),
    [
        (lambda store, name: store.rotate_key(name), [True]),
        (lambda store, name: store.disable_key(name), [True]),
        (lambda store, name: store.enable_key(name), [True]),
        (lambda store, name: store.set_quota(name, 5), [True]),
        (lambda store, name: store.usage(name), [False]),
    ],
)
def test_a_change_locks_the_keys_row_and_a_look_does_not(
    store: Store, locks: list[bool], call: Callable[[Store, str], object], locked: list[bool]
) -> None:
    name = store.create_key(KeySettings(quota=3)).api_key
    locks.clear()
    call(store, name)
    assert locks == locked


@pytest.mark.parametrize("empty_database", ["sqlite"], indirect=True)
def test_a_reservation_locks_the_keys_row(store: Store, locks: list[bool]) -> None:
    key = store.create_key(KeySettings(quota=3)).key
    locks.clear()
    assert store.reserve(key, 60) is not None
    assert locks == [True]


@pytest.mark.slow
@pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("lock", "waits"), [(LOCK, True), ("FOR KEY SHARE", False)])
def test_a_reservation_waits_for_another_one_and_not_for_a_commit(
    store: Store, database_url: str, lock: str, waits: bool
) -> None:
    """A commit shares the key's row through its foreign key check."""
    key = store.create_key(KeySettings(quota=3)).key
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text(f"SELECT id FROM api_keys {lock}"))  # noqa: S608
        if waits:
            with pytest.raises(UnavailableError):
                store.reserve(key, 60, time.monotonic() + 0.3)
        else:
            assert store.reserve(key, 60, time.monotonic() + 10) is not None
    engine.dispose()
