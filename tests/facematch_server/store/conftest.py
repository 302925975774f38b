"""A fresh database per test: SQLite always, PostgreSQL (slow) where its programs are installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from facematch_server.store import ApiKey, KeySettings, Store, hashing, upgrade
from tests.schema_memory import SchemaMemory


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 31, 23, 50, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def cheap_slow_hash(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow hash that takes a sixteenth of its memory and time, but in tests that ask for `real_slow_hash`."""
    if "real_slow_hash" not in request.fixturenames:
        monkeypatch.setattr(hashing, "_SCRYPT_N", hashing._SCRYPT_N // 16)


@pytest.fixture
def real_slow_hash() -> None:
    """Slow hashes cost in this test what they cost in service."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    with request.getfixturevalue("postgres").new_database() as url:
        yield url


@pytest.fixture
def database_url(empty_database: str, schema_memory: SchemaMemory) -> str:
    """URL of a database with the current schema."""
    upgrade(empty_database)
    return empty_database


@pytest.fixture
def open_store(database_url: str, clock: Clock) -> Iterator[Callable[[], Store]]:
    """Opens stores over one database; the clock is the test's."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(Store.open(database_url, actor="test", clock=clock))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()


@pytest.fixture
def path(empty_database: str) -> Path:
    return Path(str(make_url(empty_database).database))


@pytest.fixture
def shop(database_url: str) -> Iterator[Store]:
    """A store with the real clock."""
    with closing(Store.open(database_url)) as store:
        yield store


@pytest.fixture
def key(shop: Store) -> ApiKey:
    new = shop.create_key(KeySettings("counted", quota=100))
    key = shop.authenticate(new.api_key, new.api_secret)
    assert key is not None
    return key
