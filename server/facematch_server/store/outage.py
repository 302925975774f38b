"""The reason why the database does not work, and a memory of it, so that one request waits instead of all."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from facematch_server.store.errors import UnavailableError, Why

# How long a failure holds for all requests; then one of them tries again.
_PAUSE_SECONDS: Final = 1.0

# Primary result codes of SQLite; an extended one holds them in its low byte.
_SQLITE: Final = {
    sqlite3.SQLITE_BUSY: Why.LOCKED,
    sqlite3.SQLITE_LOCKED: Why.LOCKED,
    sqlite3.SQLITE_FULL: Why.FULL,
    sqlite3.SQLITE_IOERR: Why.IO_ERROR,
    sqlite3.SQLITE_READONLY: Why.READ_ONLY,
    sqlite3.SQLITE_PERM: Why.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Why.CANNOT_BE_OPENED,
    sqlite3.SQLITE_CORRUPT: Why.DAMAGED,
    sqlite3.SQLITE_NOTADB: Why.DAMAGED,
}
# Codes of PostgreSQL, or their classes.
_POSTGRES: Final = {
    "55P03": Why.LOCKED,  # lock_timeout
    "57014": Why.SLOW,  # statement_timeout
    "25006": Why.READ_ONLY,
    "53100": Why.FULL,
    "53300": Why.CROWDED,
    "08": Why.UNREACHABLE,
    "57P": Why.UNREACHABLE,
    "28": Why.REFUSED,
    "3D": Why.REFUSED,
    "42501": Why.REFUSED,
}
# The driver passes on a refused connection in words only; a server that speaks another language is UNREACHABLE.
_WORDS: Final = {
    "too many (clients|connections)|remaining connection slots": Why.CROWDED,
    "authentication failed|no pg_hba.conf entry|(role|database) .* does not exist": Why.REFUSED,
}


def why(error: Exception) -> Why:
    """The reason behind an error of the database."""
    if isinstance(error, PoolTimeoutError):
        return Why.SLOW
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        return Why.FAILED if code is None else _SQLITE.get(code & 0xFF, Why.FAILED)
    state = getattr(cause, "sqlstate", None)
    if state is None:
        for words, meaning in _WORDS.items():
            if re.search(words, str(cause)):
                return meaning
        # psycopg has no code if the server never answered.
        return Why.UNREACHABLE if type(cause).__name__ == "OperationalError" else Why.FAILED
    return next((_POSTGRES[state[:n]] for n in (5, 3, 2) if state[:n] in _POSTGRES), Why.FAILED)


class Outage:
    """Remembers that the database fails: one request at a time waits for it, the others fail at once.

    Thread-safe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._error: UnavailableError | None = None
        self._retry_at = 0.0
        self._lock = threading.Lock()

    def check(self, *, tries: bool = True) -> None:
        """Let the caller pass, and try the database if `tries`: the next caller then waits for a moment.

        Raises:
            UnavailableError: the database failed a moment ago.
        """
        with self._lock:
            if self._error is None:
                return
            if self._clock() < self._retry_at:
                raise UnavailableError(str(self._error), self._error.why)
            if tries:
                self._retry_at = self._clock() + _PAUSE_SECONDS

    def begins(self, error: UnavailableError) -> None:
        """Note a failure."""
        with self._lock:
            self._error = error.with_traceback(None)
            self._retry_at = self._clock() + _PAUSE_SECONDS

    def ends(self) -> None:
        """Note a success."""
        with self._lock:
            self._error = None
