"""Where the database is, how long it is waited for, and what a message says of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from facematch_server.store import UnavailableError
from facematch_server.store import engine as engines
from facematch_server.store.engine import (
    BEGIN_OPTION,
    WAIT_OPTION,
    data_folder,
    default_database_url,
    describe,
    is_new,
    open_engine,
    reason,
    sqlite_file,
)

POSTGRES = "postgresql://user:hidden@db.example/faces?connect_timeout=9"


def test_the_data_folder_and_the_database_are_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEMATCH_DATA_DIR", "/of/the/process")
    monkeypatch.delenv("FACEMATCH_DATABASE_URL", raising=False)
    assert data_folder() == Path("/of/the/process")
    assert default_database_url() == "sqlite:////of/the/process/facematch.db"
    assert data_folder({"FACEMATCH_DATA_DIR": "/of/the/test"}) == Path("/of/the/test")
    assert default_database_url({"FACEMATCH_DATA_DIR": "/of/the/test"}) == "sqlite:////of/the/test/facematch.db"
    assert default_database_url({"FACEMATCH_DATABASE_URL": POSTGRES}) == POSTGRES
    assert data_folder({}).name == "facematch-local"


def test_what_a_url_names() -> None:
    assert describe("sqlite:////data/keys.db") == "SQLite file /data/keys.db"
    assert describe(POSTGRES) == "PostgreSQL database faces on db.example"
    assert describe("postgres:///faces") == "PostgreSQL database faces on localhost"
    assert sqlite_file("sqlite:////data/keys.db") == Path("/data/keys.db")
    assert sqlite_file(POSTGRES) is None


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("mysql://host/name", "either SQLite"),
        ("oracle://host/name", "either SQLite"),
        ("no url", "not of the form"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_what_is_no_database(url: str, wrong: str) -> None:
    with pytest.raises(UnavailableError, match=wrong):
        describe(url)


def test_a_new_database_is_a_file_that_does_not_exist(tmp_path: Path) -> None:
    file = tmp_path / "keys.db"
    assert is_new(f"sqlite:///{file}")
    file.touch()
    assert not is_new(f"sqlite:///{file}")
    assert not is_new(POSTGRES)


def test_a_missing_file_is_made_unless_the_caller_forbids_it(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "keys.db"
    with pytest.raises(UnavailableError, match="there is no SQLite file"):
        open_engine(f"sqlite:///{file}", create=False)
    open_engine(f"sqlite:///{file}").dispose()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    open_engine(f"sqlite:///{file}", create=False).dispose()


@pytest.mark.parametrize(("wait", "milliseconds"), [(0.25, 250), (3.0, 3000), (-1.0, 0), (None, 15_000)])
def test_a_transaction_on_sqlite_waits_as_long_as_it_is_given(
    tmp_path: Path, wait: float | None, milliseconds: int
) -> None:
    opened = open_engine(f"sqlite:///{tmp_path / 'keys.db'}")
    options = {BEGIN_OPTION: "IMMEDIATE"} | ({} if wait is None else {WAIT_OPTION: wait})
    with opened.connect().execution_options(**options) as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == milliseconds
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    opened.dispose()


def test_a_vanished_postgresql_server_is_noticed_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the URL's query says goes before the defaults."""
    pytest.importorskip("psycopg")
    given: dict[str, Any] = {}
    make = engines.create_engine

    def noted(url: Any, **options: Any) -> Any:
        given.update(options)
        return make(url, **options)

    monkeypatch.setattr(engines, "create_engine", noted)
    open_engine(POSTGRES).dispose()
    assert given["connect_args"] == {
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 8_000,
    }
    # A pool that pings would cost each transaction a round trip; see `steps.discard_dead_connections`.
    assert (given["pool_size"], given["max_overflow"], given["pool_timeout"]) == (9, 0, 15.0)
    assert "pool_pre_ping" not in given
    assert given["hide_parameters"] is True


def test_an_old_library_of_the_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setattr(engines, "can_pipeline", lambda: False)
    with pytest.raises(UnavailableError, match="libpq 14"):
        open_engine(POSTGRES)


def test_a_reason_is_one_line_without_the_statement() -> None:
    original = sqlite3.OperationalError("database is locked\nmore")
    assert reason(DBAPIError("SELECT 1", {}, original)) == "database is locked"
    assert reason(original) == "database is locked"
    assert reason(OSError()) == "OSError"


@pytest.mark.parametrize(("wait", "limit"), [(0.25, "250ms"), (3.0, "3000ms"), (-1.0, "1ms"), (None, None)])
def test_a_statement_on_postgresql_takes_no_longer_than_it_is_given(
    monkeypatch: pytest.MonkeyPatch, wait: float | None, limit: str | None
) -> None:
    """0 would mean no limit there. Upgrades of the schema give none."""
    opened = create_engine("sqlite://")
    engines._set_up_postgresql(opened)
    asked: list[tuple[str, Any]] = []
    monkeypatch.setattr(Connection, "exec_driver_sql", lambda self, sql, values: asked.append((sql, values)))
    options = {} if wait is None else {WAIT_OPTION: wait}
    with opened.connect().execution_options(**options) as connection, connection.begin():
        pass
    opened.dispose()
    assert [values for _, values in asked] == ([] if limit is None else [{"limit": limit}])
    assert all("statement_timeout" in sql and "lock_timeout" in sql for sql, _ in asked)


class _Starting:
    """An engine whose file other processes are making: it is locked for the first few times."""

    url = make_url("sqlite:////data/keys.db")

    def __init__(self, times: int, message: str = "database is locked") -> None:
        self.times, self.message = times, message

    def raw_connection(self) -> Any:
        if self.times > 0:
            self.times -= 1
            raise sqlite3.OperationalError(self.message)
        return sqlite3.connect(":memory:")


def test_a_first_start_waits_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [100.0]
    monkeypatch.setattr(engines.time, "monotonic", lambda: moments[0])
    monkeypatch.setattr(engines.time, "sleep", lambda seconds: moments.__setitem__(0, moments[0] + seconds))
    starting: Any = _Starting(5)
    engines._enable_wal(starting)
    assert starting.times == 0
    with pytest.raises(UnavailableError, match=r"SQLite file /data/keys.db cannot be opened: database is locked"):
        engines._enable_wal(_Starting(10_000))  # type: ignore[arg-type]
    assert moments[0] == pytest.approx(100.25 + 15.0, abs=0.2)


def test_a_file_that_is_no_database_is_not_waited_for() -> None:
    broken: Any = _Starting(2, "file is not a database")
    with pytest.raises(UnavailableError, match="not a database"):
        engines._enable_wal(broken)
    assert broken.times == 1


@pytest.mark.parametrize(("content", "refused"), [(b"", False), (b"x", True)])
def test_a_journal_without_its_database_is_refused_unless_it_is_empty(
    tmp_path: Path, content: bytes, refused: bool
) -> None:
    (tmp_path / "keys.db-wal").write_bytes(content)
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    if refused:
        with pytest.raises(UnavailableError, match=r"keys.db-wal is still there"):
            is_new(url)
    else:
        assert is_new(url)
