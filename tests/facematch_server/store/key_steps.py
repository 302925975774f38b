"""What the tests of a store look at."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from facematch_server.store import (
    ApiKey,
    NewKey,
    Store,
)


def known(store: Store, new: NewKey) -> ApiKey:
    key = store.authenticate(new.api_key, new.api_secret)
    assert key is not None
    return key


def everything_stored(url: str) -> str:
    engine = create_engine(url)
    with engine.connect() as connection:
        tables = ("api_keys", "usage", "reservations", "audit")
        rows = [str(row) for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608
    engine.dispose()
    return "\n".join(rows)


def spend(store: Store, key: ApiKey) -> bool:
    reservation = store.reserve(key, 60)
    return reservation is not None and store.commit(reservation)
