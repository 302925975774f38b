"""The location of the database, and engines for it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from facematch_server.store.errors import UnavailableError, Why
from facematch_server.store.outage import why
from facematch_server.store.sqlite_file import SqliteFile, refuse_orphaned_journal
from facematch_server.store.steps import SET_LIMITS, can_pipeline, discard_dead_connections, milliseconds

_FILE_NAME: Final = "facematch.db"
# How long commands wait for the database; requests have shorter limits of their own.
PATIENCE_SECONDS: Final = 15.0
# libpq's defaults wait for hours for a server that vanished. The URL's query can set each of these.
_NETWORK: Final = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8_000,
}
# Connections of one process to PostgreSQL: one for each thread of the service that asks the database.
CONNECTIONS: Final = 9
# Execution options: how transactions on SQLite begin; how many seconds a statement may take or wait for a lock.
BEGIN_OPTION: Final = "facematch_begin"
WAIT_OPTION: Final = "facematch_wait"
# And the `SqliteFile` of an engine.
_FILE_OPTION: Final = "facematch_file"


def data_folder(environ: Mapping[str, str] | None = None) -> Path:
    """`FACEMATCH_DATA_DIR`, else the user's data folder of the operating system."""
    environ = os.environ if environ is None else environ
    named = environ.get("FACEMATCH_DATA_DIR", "")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("facematch-local", appauthor=False))


def default_database_url(environ: Mapping[str, str] | None = None) -> str:
    """`FACEMATCH_DATABASE_URL`, else an SQLite file in `data_folder`."""
    environ = os.environ if environ is None else environ
    named = environ.get("FACEMATCH_DATABASE_URL", "")
    return named or str(URL.create("sqlite", database=str(data_folder(environ) / _FILE_NAME)))


def describe(database_url: str | URL) -> str:
    """The database in messages: kind, location and name; no user, password or parameters."""
    url = _parse(database_url)
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {url.database}"
    place = url.host or url.query.get("host") or "localhost"
    return f"PostgreSQL database {url.database or ''} on {place}"


def sqlite_file(database_url: str | URL) -> Path | None:
    """The file of an SQLite database; None for PostgreSQL.

    Raises:
        UnavailableError: the URL does not name a supported database.
    """
    url = _parse(database_url)
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def is_new(database_url: str) -> bool:
    """Whether the database is an SQLite file, and neither the file nor a journal of it exists.

    Raises:
        UnavailableError: the URL does not name a supported database, or only the journal of the database is left.
    """
    file = sqlite_file(database_url)
    if file is None or file.exists():
        return False
    refuse_orphaned_journal(file)
    return True


def is_sqlite(engine: Engine | Connection) -> bool:
    """Whether this is SQLite (else PostgreSQL)."""
    return engine.dialect.name == "sqlite"


def open_engine(database_url: str, *, create: bool = True, connections: int = CONNECTIONS) -> Engine:
    """An engine for SQLite or PostgreSQL, configured for many threads and processes.

    If `create` is True, a missing SQLite file is created (0600), and its folder too (0700). From then on the engine
    works with this file only, see `sqlite_file`. `connections` is the largest number of connections to PostgreSQL.

    Raises:
        UnavailableError: the URL does not name a supported database, or the database cannot be opened.
    """
    url = _parse(database_url)
    options: dict[str, Any] = {
        # Otherwise the message of a failed statement would hold its parameters, which may be hashes.
        "hide_parameters": True,
        "pool_timeout": PATIENCE_SECONDS,
    }
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url, options, create)
    try:
        given = {name: value for name, value in _NETWORK.items() if name not in url.query}
        engine = create_engine(url, pool_size=connections, max_overflow=0, connect_args=given, **options)
    except ImportError:
        raise UnavailableError(
            "PostgreSQL needs a driver that is not installed: pip install 'facematch-local[postgres]'"
        ) from None
    if not can_pipeline():
        raise UnavailableError("PostgreSQL needs libpq 14 or newer: pip install 'facematch-local[postgres]'")
    _set_up_postgresql(engine)
    discard_dead_connections(engine)
    return engine


def unavailable(engine: Engine, error: Exception, doing: str = "failed") -> UnavailableError:
    """The store's error for an error of SQLAlchemy or of the driver."""
    return UnavailableError(f"{describe(engine.url)} {doing}: {reason(error)}", why(error))


def remember_database(engine: Engine) -> None:
    """Note the content of an SQLite database, so that a copy that replaces it is recognised.

    Raises:
        UnavailableError: it cannot be read.
    """
    file = engine.get_execution_options().get(_FILE_OPTION)
    if file is None:
        return
    try:
        file.remember()
    except sqlite3.Error as error:
        raise UnavailableError(f"{describe(engine.url)} cannot be read: {error}", why(error)) from None


def reason(error: Exception) -> str:
    """One line with the cause, without the SQL statement that SQLAlchemy adds."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__


def _parse(database_url: str | URL) -> URL:
    # SQLAlchemy's message quotes the URL, which holds the password.
    try:
        url = make_url(database_url)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise UnavailableError("the database URL is not of the form sqlite:///path or postgresql://host/name") from None
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise UnavailableError("the database is either SQLite (sqlite:///path) or PostgreSQL (postgresql://host/name)")
    if url.database in (None, "", ":memory:") or "mode=memory" in str(url.database):
        raise UnavailableError("an SQLite database needs a file: in memory it would lose keys and counts")
    return url


def _open_sqlite(url: URL, options: dict[str, Any], create: bool) -> Engine:
    path = Path(str(url.database))
    refuse_orphaned_journal(path)
    if create:
        _create_file(url)
    elif not path.is_file():
        raise UnavailableError(f"there is no {describe(url)}", Why.GONE)
    file = SqliteFile(path, PATIENCE_SECONDS)
    engine = create_engine(url, creator=file.connect, execution_options={_FILE_OPTION: file}, **options)
    _set_up_sqlite(engine)
    _enable_wal(engine)
    # Several processes may create the file at the same time.
    file.watch(engine)
    return engine


def _create_file(url: URL) -> None:
    path = Path(str(url.database))
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True, mode=0o700)
        # SQLite gives its -wal and -shm files the mode of this file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise UnavailableError(f"{describe(url)} cannot be written: {error.strerror}") from None


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        # With WAL a committed transaction survives every end of the process; FULL would
        # add an fsync per request to keep the last seconds' counts through a power cut as well.
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        wait = options.get(WAIT_OPTION, PATIENCE_SECONDS)
        # Set each time: a pooled connection still has the value of its previous transaction.
        connection.connection.cursor().execute(f"PRAGMA busy_timeout = {max(int(wait * 1000), 0)}")
        connection.exec_driver_sql(f"BEGIN {options.get(BEGIN_OPTION, 'DEFERRED')}")


def _set_up_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        wait = connection.get_execution_options().get(WAIT_OPTION)
        if wait is not None:  # upgrades of the schema have no limit
            connection.exec_driver_sql(SET_LIMITS, {"limit": milliseconds(wait)})


def _enable_wal(engine: Engine) -> None:
    # The file stores the mode. Several first starts at the same time collide here, and SQLite does not wait
    # (no busy handler) while another process changes the mode.
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            connection = engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
            finally:
                connection.close()
            return
        except Exception as error:
            locked = "locked" in str(error)
            if isinstance(error, UnavailableError):
                raise
            if not locked or time.monotonic() > deadline:
                raise UnavailableError(f"{describe(engine.url)} cannot be opened: {reason(error)}") from None
            time.sleep(0.05)


__all__ = [
    "BEGIN_OPTION",
    "CONNECTIONS",
    "PATIENCE_SECONDS",
    "WAIT_OPTION",
    "data_folder",
    "default_database_url",
    "describe",
    "is_new",
    "is_sqlite",
    "open_engine",
    "reason",
    "remember_database",
    "sqlite_file",
    "unavailable",
]
