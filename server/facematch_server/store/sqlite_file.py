"""Keeps a process on the SQLite file that it opened, whatever happens at the file's path.

A deleted file stays with the processes that have it open, and their counts are lost with it. A file that appears at its
path is another database, usually an empty one. Therefore the file is identified by its number (device and inode), which
is checked before each use, and opening never creates it. Another file at the path is accepted only if it holds the same
keys (a restored backup); until then no request is admitted. The identified file stays open: a deleted and closed file
would pass its number on to the next one.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

from facematch_server.store.errors import UnavailableError, Why
from facematch_server.store.outage import why

# The key under which a pooled connection's record keeps the number of its journal.
_JOURNAL: Final = "facematch_journal"


class _Number(NamedTuple):
    device: int
    inode: int


class _Mark(NamedTuple):
    """Distinguishes this database from others: by its schema and its first key. Keys are never deleted."""

    revision: str
    first_key: tuple[Any, ...] | None


class _Connection(sqlite3.Connection):
    """A connection with the number of its open file."""

    file: _Number | None = None


class SqliteFile:
    """Opens connections to one file, and refuses connections when another file is at its path. Thread-safe."""

    def __init__(self, path: Path, timeout: float) -> None:
        """Use a file that exists.

        Args:
            path: path of the database.
            timeout: seconds that a statement waits for a lock by default.

        Raises:
            UnavailableError: the file does not exist.
        """
        self._path = path
        self._journal_path = path.with_name(path.name + "-wal")
        self._timeout = timeout
        self._lock = threading.Lock()
        self._file = self._present()
        self._anchor: _Connection | None = None
        self._journal: _Number | None = None
        self._journal_anchor: int | None = None
        self._mark: _Mark | None = None

    def watch(self, engine: Engine) -> None:
        """Check the file whenever a connection leaves the engine's pool."""

        @event.listens_for(engine, "checkin")
        def _checked_in(_: Any, record: Any) -> None:
            # The first use has opened the journal. While it is open, SQLite neither removes nor replaces it.
            if _JOURNAL not in record.info and (journal := self._keep_journal()) is not None:
                record.info[_JOURNAL] = journal

        @event.listens_for(engine, "engine_disposed")
        def _disposed(_: Any) -> None:
            self._let_go()

        @event.listens_for(engine, "checkout")
        def _checked_out(connection: Any, record: Any, _: Any) -> None:
            if self._present() != connection.file:
                raise InvalidatePoolError("the database file was replaced")
            known = record.info.get(_JOURNAL)
            if known is not None and known != _number(self._journal_path):
                # The journal was deleted. This connection still has it open, so its counts still reach the file.
                with suppress(sqlite3.Error):
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                raise InvalidatePoolError("the journal of the database was deleted")

    def remember(self) -> None:
        """Note the identity of the database, so that a copy is recognised. It is final once a key exists."""
        with self._lock:
            if self._mark is not None and self._mark.first_key is not None:
                return
            with closing(self._open()) as connection:
                self._mark = _read_mark(connection)

    def connect(self) -> _Connection:
        """A new connection.

        Raises:
            UnavailableError: the file is gone, or another database is at its path.
        """
        with self._lock:
            found = self._present()
            if found != self._file and _number(self._journal_path) == self._journal is not None:
                # SQLite would apply the old journal to the new file.
                raise self._unavailable(Why.STALE_JOURNAL)
            connection = self._open()
            try:
                if self._present() != found:
                    raise self._unavailable(Why.REPLACED)
                if found != self._file:
                    self._require_same(connection)
                if found != self._file or self._anchor is None:
                    self._keep(found)
                connection.file = found
            except BaseException:
                connection.close()
                raise
            return connection

    def _open(self) -> _Connection:
        return sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,
            factory=_Connection,
        )

    def _keep(self, file: _Number) -> None:
        """Keep the file open, through SQLite: closing a plain descriptor would release the locks of all others."""
        before, self._anchor, self._file = self._anchor, self._open(), file
        if before is not None:
            before.close()

    def _keep_journal(self) -> _Number | None:
        """Keep the present journal open; return its number."""
        with self._lock:
            found = _number(self._journal_path)
            if found is None or found == self._journal:
                return found
            self._journal = found
            if os.name != "nt":  # on systems where an open file cannot be deleted
                self._close_journal()
                with suppress(OSError):
                    self._journal_anchor = os.open(self._journal_path, os.O_RDONLY)
            return found

    def _close_journal(self) -> None:
        if self._journal_anchor is not None:
            os.close(self._journal_anchor)
            self._journal_anchor = None

    def _let_go(self) -> None:
        with self._lock:
            self._close_journal()
            if self._anchor is not None:
                self._anchor.close()
                self._anchor = None

    def _present(self) -> _Number:
        found = _number(self._path)
        if found is None:
            raise self._unavailable(Why.GONE)
        return found

    def _require_same(self, connection: sqlite3.Connection) -> None:
        """Refuse a database that is not a copy of the earlier one."""
        if self._mark is None:
            return
        try:
            found = _read_mark(connection)
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            locked = why(error) is Why.LOCKED
            raise self._unavailable(Why.LOCKED if locked else Why.REPLACED) from None
        same_key = self._mark.first_key is None or self._mark.first_key == found.first_key
        if found.revision != self._mark.revision or not same_key:
            raise self._unavailable(Why.REPLACED)

    def _unavailable(self, why: Why) -> UnavailableError:
        return UnavailableError(f"SQLite file {self._path}: {why}", why)


def _number(path: Path) -> _Number | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _Number(status.st_dev, status.st_ino)


def _read_mark(connection: sqlite3.Connection) -> _Mark:
    (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    first = connection.execute("SELECT id, api_key, created_at FROM api_keys ORDER BY id LIMIT 1").fetchone()
    return _Mark(str(revision), first)


def refuse_orphaned_journal(path: Path) -> None:
    """Refuse to create a database next to the journal of a lost one.

    Raises:
        UnavailableError: such a journal exists; SQLite would delete it, with the counts in it.
    """
    journal = path.with_name(path.name + "-wal")
    try:
        orphaned = not path.exists() and os.path.getsize(journal) > 0
    except OSError:
        return
    if orphaned:
        raise UnavailableError(
            f"SQLite file {path} is gone, but its journal {journal.name} is still there: put the file back, "
            "or remove the journal to begin with an empty database",
            Why.GONE,
        )
