"""What a transaction leaves on the disk, and what a failure of one says of the next."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from facematch_server.store import KeySettings, Store, UnavailableError
from facematch_server.store.engine import PATIENCE_SECONDS, WAIT_OPTION, open_engine
from facematch_server.store.sessions import Sessions


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    Store.open(url).close()
    return Sessions(open_engine(url))


@pytest.mark.parametrize("empty_database", ["sqlite"], indirect=True)
def test_changes_of_keys_are_durable_and_counts_are_not(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint costs a request more than its place in a power cut is worth."""
    synced: list[int] = []
    monkeypatch.setattr(Sessions, "_sync", lambda self: synced.append(1))
    key = store.create_key(KeySettings(quota=3)).key
    assert len(synced) == 1
    for change in (store.disable_key, store.enable_key, store.set_quota):
        change(key.api_key, 5) if change == store.set_quota else change(key.api_key)  # type: ignore[operator]
    assert len(synced) == 4
    reservation = store.reserve(key, 60)
    assert reservation is not None
    assert store.commit(reservation)
    assert len(synced) == 4


def test_a_session_is_given_what_is_left_of_the_time(sessions: Sessions) -> None:
    def wait(until: float | None) -> float:
        with sessions.read(until) as session:
            return float(session.connection().get_execution_options()[WAIT_OPTION])

    assert wait(time.monotonic() + 5.0) == pytest.approx(5.0, abs=0.5)
    assert wait(None) == pytest.approx(PATIENCE_SECONDS, abs=0.5) == pytest.approx(15.0, abs=0.5)


def test_a_writer_that_has_no_time_left_does_not_wait_for_another(sessions: Sessions) -> None:
    with sessions.write():
        assert sessions._write_lock.locked()  # the threads of one process queue here, not in SQLite
        begun = time.monotonic()
        with pytest.raises(UnavailableError, match="locked"), sessions.write(begun - 1.0):
            pass
        assert time.monotonic() - begun < 0.5
    with sessions.write(time.monotonic() + 5.0) as session:
        session.execute(text("SELECT 1"))


def test_one_wrong_statement_is_no_outage(sessions: Sessions) -> None:
    with pytest.raises(UnavailableError, match="no such table"), sessions.read() as session:
        session.execute(text("SELECT * FROM missing"))
    sessions.reading.check()


def test_a_lock_is_an_outage_until_a_success(sessions: Sessions) -> None:
    import sqlite3

    def fail() -> None:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        with sessions.write():
            raise DBAPIError("x", {}, error)

    with pytest.raises(UnavailableError, match="locked"):
        fail()
    with pytest.raises(UnavailableError, match="locked"):
        sessions.writing.check()
    sessions.reading.check()
    with sessions.write():
        pass
    sessions.writing.check()
