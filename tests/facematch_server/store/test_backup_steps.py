"""How SQLite copies a backup: in one step, and with patience for a lock."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from facematch_server.store import KeySettings, Store
from facematch_server.store.backup import backup, restore


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Of each copy: pages of a step (0 or less: all of them), and milliseconds that a lock is waited for."""
    seen: list[tuple[int, int]] = []

    class Connection(sqlite3.Connection):
        def backup(self, target: sqlite3.Connection, *, pages: int = 100, **options: Any) -> None:  # type: ignore[override]
            waits = {c.execute("PRAGMA busy_timeout").fetchone()[0] for c in (self, target)}
            assert len(waits) == 1
            seen.append((pages, waits.pop()))
            super().backup(target, pages=pages, **options)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **more: connect(*given, **{"factory": Connection} | more))
    return seen


def test_no_writer_comes_between_two_pages(tmp_path: Path, steps: list[tuple[int, int]]) -> None:
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    store = Store.open(url)
    store.create_key(KeySettings("first"))
    backup(url, tmp_path / "copy.db")
    store.create_key(KeySettings("second"))
    restore(url, tmp_path / "copy.db")
    assert [key.name for key in store.list_keys()] == ["first"]
    store.close()
    assert len(steps) == 2
    assert all(pages <= 0 and wait == 15_000 for pages, wait in steps)
