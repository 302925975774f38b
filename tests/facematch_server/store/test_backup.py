"""Backups: whole, private, never over something else; and back again."""

from __future__ import annotations

import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from facematch_server.store import KeySettings, Store, StoreError, backup, restore


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'facematch.db'}"


def test_a_backup_holds_what_was_committed_while_the_database_is_open(url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with closing(Store.open(url)) as store:
        key = store.create_key(KeySettings("before"))
        backup(url, copy)
        store.create_key(KeySettings("after"))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(Store.open(f"sqlite:///{copy}")) as copied:
        assert copied.authenticate(key.api_key, key.api_secret) is not None
        assert [entry.name for entry in copied.list_keys()] == ["before"]


def test_restore_takes_back_what_came_later(url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with closing(Store.open(url)) as store:
        kept = store.create_key(KeySettings("before"))
        backup(url, copy)
        lost = store.create_key(KeySettings("after"))
    restore(url, copy)
    with closing(Store.open(url)) as store:
        assert store.authenticate(kept.api_key, kept.api_secret) is not None
        assert store.authenticate(lost.api_key, lost.api_secret) is None


def test_a_backup_is_never_written_over_anything(url: str, tmp_path: Path) -> None:
    Store.open(url).close()
    taken = tmp_path / "taken"
    taken.write_text("precious")
    with pytest.raises(StoreError, match="File exists"):
        backup(url, taken)
    assert taken.read_text() == "precious"


def test_without_a_database_nothing_is_made(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no SQLite file"):
        backup(url, tmp_path / "copy.db")
    assert not any(tmp_path.iterdir())


def test_postgresql_is_left_to_its_own_tools(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="pg_dump") as raised:
        backup("postgresql://user:secret@db/facematch", tmp_path / "copy.db")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_only_a_backup_is_restored(url: str, tmp_path: Path, content: bytes) -> None:
    with closing(Store.open(url)) as store:
        key = store.create_key(KeySettings("kept"))
    other = tmp_path / "other"
    other.write_bytes(content)
    with pytest.raises(StoreError, match="not a backup"):
        restore(url, other)
    with closing(Store.open(url)) as store:
        assert store.authenticate(key.api_key, key.api_secret) is not None


def test_commands(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facematch: Callable[..., Any]) -> None:
    monkeypatch.setenv("FACEMATCH_DATABASE_URL", url)
    Store.open(url).close()
    copy = tmp_path / "copy.db"
    assert facematch("db", "backup", copy).code == 0
    again = facematch("db", "backup", copy)
    assert again.code != 0
    assert "File exists" in again.err
    assert facematch("db", "restore", copy).code == 0
