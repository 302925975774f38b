"""Connections to the file of a database, also when another file takes its place."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from facematch_server.store import upgrade
from facematch_server.store.sqlite_file import SqliteFile

pytestmark = pytest.mark.usefixtures("schema_memory")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    for number in range(4):  # files that are older than the database, and may have smaller numbers
        (tmp_path / f"early{number}").touch()
    upgrade(f"sqlite:///{tmp_path / 'facematch.db'}")
    return tmp_path / "facematch.db"


def test_a_connection_may_be_used_in_any_thread(path: Path) -> None:
    """The pool hands connections from thread to thread."""
    found: list[object] = []
    with closing(SqliteFile(path, 1.0).connect()) as connection:

        def use() -> None:
            try:
                found.extend(connection.execute("SELECT count(*) FROM api_keys").fetchall())
            except sqlite3.Error as error:
                found.append(error)

        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert found == [(0,)]


@pytest.mark.parametrize("number", ["smaller", "larger"])
def test_a_copy_in_the_place_of_the_file_is_accepted_once_and_for_all(path: Path, number: str) -> None:
    file = SqliteFile(path, 1.0)
    file.remember()
    file.connect().close()
    before = path.stat().st_ino
    copies = [path.with_name(f"{name}{each}") for name in ("early", "late") for each in range(4)]
    for copy in copies:
        shutil.copyfile(path, copy)
    fitting = [copy for copy in copies if (copy.stat().st_ino < before) == (number == "smaller")]
    if not fitting:
        pytest.skip("this file system gives new files no such number")
    fitting[0].replace(path)
    with closing(file.connect()) as connection:
        assert connection.file == file._present()
    # Later connections find the file that is in use, and need not look into it again.
    assert file._file == file._present()


def test_another_database_in_the_place_of_the_file_is_refused(path: Path) -> None:
    from facematch_server.store import Store, UnavailableError

    file = SqliteFile(path, 1.0)
    with closing(Store.open(f"sqlite:///{path}")) as store:
        store.create_key()
    file.remember()
    file.connect().close()
    other = path.with_name("other.db")
    with closing(Store.open(f"sqlite:///{other}")) as store:
        store.create_key()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    other.replace(path)
    with pytest.raises(UnavailableError, match=r"SQLite file .*facematch\.db: "):
        file.connect()
