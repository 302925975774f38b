"""Backups of the SQLite database, made by SQLite itself: consistent, also while other processes write."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from facematch_server.store.engine import describe, sqlite_file
from facematch_server.store.errors import StoreError, UnavailableError

_WAIT_SECONDS: Final = 15.0


def backup(database_url: str, target: Path) -> None:
    """Copy the database into a new file (0600).

    Raises:
        StoreError: not SQLite, no database exists yet, or `target` exists or cannot be written.
        UnavailableError: the database cannot be read.
    """
    source = _existing(database_url)
    try:
        # Never overwrite an earlier backup; and no other user may read it at any moment.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}") from None
    try:
        _copy(source, target)
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise UnavailableError(f"{describe(database_url)} cannot be copied: {error}") from None


def restore(database_url: str, backed_up: Path) -> None:
    """Replace the content of the database by a backup. A running service continues with it; reservations are lost.

    Raises:
        StoreError: not SQLite, no database exists, or `backed_up` is not a complete SQLite database.
        UnavailableError: the database cannot be written.
    """
    target = _existing(database_url)
    _require_whole(backed_up)
    try:
        _copy(backed_up, target)
    except sqlite3.Error as error:
        raise UnavailableError(f"{describe(database_url)} cannot be restored: {error}") from None


def _existing(database_url: str) -> Path:
    path = sqlite_file(database_url)
    if path is None:
        raise StoreError(f"the {describe(database_url)} has its own tools: use pg_dump and pg_restore")
    if not path.is_file():
        raise StoreError(f"there is no {describe(database_url)}")
    return path


def _require_whole(path: Path) -> None:
    try:
        with closing(_open(path, "ro")) as connection:
            whole = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise StoreError(f"{path} is not a backup: {error}") from None
    if not whole or "alembic_version" not in tables:
        raise StoreError(f"{path} is not a backup: it is damaged or another program's")


def _copy(source: Path, target: Path) -> None:
    with closing(_open(source, "rw")) as reader, closing(_open(target, "rw")) as writer:
        # All pages in one step, so that no writer can change the database between two of them.
        reader.backup(writer, pages=-1)


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_WAIT_SECONDS)
