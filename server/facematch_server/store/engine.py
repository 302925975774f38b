"""Where the database is and how to open it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from facematch_server.store.errors import UnavailableError

_FILE_NAME: Final = "facematch.db"
_BUSY_SECONDS: Final = 15.0
# libpq's own defaults wait for hours for a server that vanished. Each can be set in the URL's query.
_NETWORK: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# Execution option: how transactions on SQLite begin.
BEGIN_OPTION: Final = "facematch_begin"


def data_folder(environ: Mapping[str, str] | None = None) -> Path:
    """`FACEMATCH_DATA_DIR`, else the user's data folder as the operating system has it."""
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
    """The database for messages: kind, place and name; no user, password or parameters."""
    url = _parse(database_url)
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {url.database}"
    place = url.host or url.query.get("host") or "localhost"
    return f"PostgreSQL database {url.database or ''} on {place}"


def sqlite_file(database_url: str | URL) -> Path | None:
    """The file of an SQLite database, None for PostgreSQL.

    Raises:
        UnavailableError: the URL names no database that can be opened.
    """
    url = _parse(database_url)
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def is_sqlite(engine: Engine | Connection) -> bool:
    """Whether this is SQLite (else PostgreSQL)."""
    return engine.dialect.name == "sqlite"


def open_engine(database_url: str) -> Engine:
    """An engine for SQLite or PostgreSQL, set up for many threads and processes.

    An SQLite file that does not exist is created (0600), and so is its folder (0700).

    Raises:
        UnavailableError: the URL names no database that can be opened.
    """
    url = _parse(database_url)
    options: dict[str, Any] = {
        # A failed statement's message would otherwise hold the hashes that were its parameters.
        "hide_parameters": True,
        "pool_timeout": _BUSY_SECONDS,
    }
    if url.get_backend_name() == "sqlite":
        _create_file(url)
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, **options)
        _set_up_sqlite(engine)
        _enable_wal(engine)
        return engine
    try:
        given = {name: value for name, value in _NETWORK.items() if name not in url.query}
        return create_engine(url, pool_pre_ping=True, pool_size=10, connect_args=given, **options)
    except ImportError:
        raise UnavailableError(
            "PostgreSQL needs a driver that is not installed: pip install 'facematch-local[postgres]'"
        ) from None


def reason(error: Exception) -> str:
    """One line that says what went wrong, without the SQL statement SQLAlchemy adds."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__


def _parse(database_url: str | URL) -> URL:
    # SQLAlchemy's messages quote the URL and with it the password.
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
        raise UnavailableError("an SQLite database needs a file: in memory it would forget keys and counts")
    return url


def _create_file(url: URL) -> None:
    path = Path(str(url.database))
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True, mode=0o700)
        # SQLite gives its -wal and -shm files the mode of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise UnavailableError(f"{describe(url)} cannot be written: {error.strerror}") from None


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        # Python's driver would begin transactions by itself, too late and never IMMEDIATE.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        # With WAL a committed transaction survives the end of the process, however it ends; FULL would
        # add an fsync per request to keep the last seconds' counts through a power cut as well.
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get(BEGIN_OPTION, 'DEFERRED')}")


def _enable_wal(engine: Engine) -> None:
    # The file remembers the mode. Several first starts at once collide here, and SQLite does not wait
    # (no busy handler) while another process changes the mode.
    deadline = time.monotonic() + _BUSY_SECONDS
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
            if not locked or time.monotonic() > deadline:
                raise UnavailableError(f"{describe(engine.url)} cannot be opened: {reason(error)}") from None
            time.sleep(0.05)


__all__ = [
    "BEGIN_OPTION",
    "data_folder",
    "default_database_url",
    "describe",
    "is_sqlite",
    "open_engine",
    "reason",
    "sqlite_file",
]
