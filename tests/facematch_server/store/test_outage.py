"""What a database's error means, and how long it stands."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from facematch_server.store import UnavailableError
from facematch_server.store.errors import Why
from facematch_server.store.outage import Outage, why


def _sqlite(code: int | None) -> sqlite3.Error:
    error = sqlite3.OperationalError("x")
    if code is not None:
        error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (sqlite3.SQLITE_BUSY, Why.LOCKED),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Why.LOCKED),  # extended: the low byte is SQLITE_BUSY
        (sqlite3.SQLITE_LOCKED, Why.LOCKED),
        (sqlite3.SQLITE_FULL, Why.FULL),
        (sqlite3.SQLITE_IOERR_WRITE, Why.IO_ERROR),
        (sqlite3.SQLITE_READONLY_DBMOVED, Why.READ_ONLY),
        (sqlite3.SQLITE_PERM, Why.READ_ONLY),
        (sqlite3.SQLITE_CANTOPEN, Why.CANNOT_BE_OPENED),
        (sqlite3.SQLITE_CORRUPT, Why.DAMAGED),
        (sqlite3.SQLITE_NOTADB, Why.DAMAGED),
        (sqlite3.SQLITE_CONSTRAINT, Why.FAILED),
        (None, Why.FAILED),
    ],
)
def test_codes_of_sqlite(code: int | None, meaning: Why) -> None:
    assert why(_sqlite(code)) is meaning
    assert why(DBAPIError("SELECT 1", {}, _sqlite(code))) is meaning


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("55P03", Why.LOCKED),
        ("57014", Why.SLOW),
        ("25006", Why.READ_ONLY),
        ("53100", Why.FULL),
        ("08006", Why.UNREACHABLE),
        ("57P01", Why.UNREACHABLE),
        ("28P01", Why.REFUSED),
        ("3D000", Why.REFUSED),
        ("42501", Why.REFUSED),
        ("40P01", Why.FAILED),
        ("53200", Why.FAILED),
        ("53300", Why.CROWDED),
    ],
)
def test_states_of_postgresql(state: str, meaning: Why) -> None:
    class Error(Exception):
        sqlstate = state

    assert why(DBAPIError("SELECT 1", {}, Error())) is meaning


def test_what_the_server_never_answered() -> None:
    operational: Any = type("OperationalError", (Exception,), {})
    programming: Any = type("ProgrammingError", (Exception,), {})
    assert why(DBAPIError("SELECT 1", {}, operational())) is Why.UNREACHABLE
    assert why(DBAPIError("SELECT 1", {}, programming())) is Why.FAILED
    assert why(PoolTimeoutError("x")) is Why.SLOW


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("connection failed: FATAL:  sorry, too many clients already", Why.CROWDED),
        ('connection failed: FATAL:  too many connections for role "facematch"', Why.CROWDED),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", Why.CROWDED),
        ('FATAL:  password authentication failed for user "facematch"', Why.REFUSED),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.7"', Why.REFUSED),
        ('FATAL:  database "faces" does not exist', Why.REFUSED),
        ("connection refused", Why.UNREACHABLE),
        ("FATAL:  the database system is starting up", Why.UNREACHABLE),
    ],
)
def test_words_of_a_server_that_accepts_no_connection(words: str, meaning: Why) -> None:
    operational: Any = type("OperationalError", (Exception,), {})
    assert why(operational(words)) is meaning


def _refused(outage: Outage, *, tries: bool = True) -> bool:
    try:
        outage.check(tries=tries)
    except UnavailableError as error:
        return (str(error), error.why) == ("gone", Why.GONE)
    return False


@pytest.fixture
def clock() -> Callable[..., float]:
    moments = [500.0]

    def read(forward: float = 0.0) -> float:
        moments[0] += forward
        return moments[0]

    return read


def test_a_failure_stands_for_a_second_and_then_one_tries(clock: Callable[..., float]) -> None:
    outage = Outage(clock)
    assert not _refused(outage)
    outage.begins(UnavailableError("gone", Why.GONE))
    assert _refused(outage)
    clock(0.99)
    assert _refused(outage)
    clock(0.01)
    assert not _refused(outage)  # this one tries, ...
    assert _refused(outage)  # ... and the others wait for what it finds
    clock(1.0)
    assert not _refused(outage)
    outage.ends()
    assert [_refused(outage) for _ in range(3)] == [False] * 3


def test_a_caller_that_does_not_try_leaves_the_trial_to_the_next(clock: Callable[..., float]) -> None:
    outage = Outage(clock)
    outage.begins(UnavailableError("gone", Why.GONE))
    assert _refused(outage, tries=False)
    clock(1.0)
    assert not any(_refused(outage, tries=False) for _ in range(3))
    assert not _refused(outage)
    assert _refused(outage, tries=False)
