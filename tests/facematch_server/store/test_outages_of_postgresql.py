"""A PostgreSQL server that stops, only reads or hangs, and a table that is locked."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from facematch_server.store import ApiKey, KeySettings, Store, UnavailableError, Why
from tests.facematch_server.store.outage_steps import (
    ONLY_POSTGRES,
    count_one,
    soon,
    why_not,
    works_again,
)


@pytest.mark.slow
@ONLY_POSTGRES
def test_a_server_that_stops_and_comes_back(shop: Store, key: ApiKey, postgres: Any) -> None:
    count_one(shop, key)
    held = shop.reserve(key, 60)
    assert held
    postgres.stop()
    try:
        begun = time.monotonic()
        assert why_not(lambda: shop.look_up(key.api_key, "x", soon(2))) is Why.UNREACHABLE
        assert why_not(lambda: shop.reserve(key, 60, soon(2))) is Why.UNREACHABLE
        assert why_not(lambda: shop.commit(held, soon(2))) is Why.UNREACHABLE
        assert why_not(lambda: shop.ping(soon(2))) is Why.UNREACHABLE
        assert time.monotonic() - begun < 10
    finally:
        postgres.start()
    works_again(shop, key)
    assert shop.commit(held, soon(2))
    assert shop.usage(key.api_key).total == 3


@pytest.mark.slow
@ONLY_POSTGRES
def test_a_table_that_is_locked(shop: Store, key: ApiKey, database_url: str) -> None:
    held = shop.reserve(key, 60)
    assert held
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE usage, reservations IN ACCESS EXCLUSIVE MODE"))
        begun = time.monotonic()
        assert why_not(lambda: shop.commit(held, soon())) in (Why.LOCKED, Why.SLOW)
        assert 0.3 < time.monotonic() - begun < 3
        assert why_not(lambda: shop.ping(soon())) in (Why.LOCKED, Why.SLOW)
    engine.dispose()
    assert shop.commit(held, soon(2))
    works_again(shop, key)


@pytest.mark.slow
@ONLY_POSTGRES
def test_a_server_that_only_reads(shop: Store, key: ApiKey, database_url: str) -> None:
    """As after a failover to a standby."""
    name = make_url(database_url).database
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        shop._sessions._engine.dispose()
        assert why_not(lambda: shop.ping(soon(2))) is Why.READ_ONLY
        assert why_not(lambda: shop.reserve(key, 60, soon(2))) is Why.READ_ONLY
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
        shop._sessions._engine.dispose()
    engine.dispose()
    works_again(shop, key)


@pytest.mark.slow
@ONLY_POSTGRES
def test_a_server_that_hangs(shop: Store, key: ApiKey, postgres: Any) -> None:
    """The server stops with open connections: every request still gets its reply in time."""
    import asyncio

    from facematch_server.access.gatekeeper import Gatekeeper

    new = shop.create_key(KeySettings("asks"))
    gatekeeper = Gatekeeper(shop, ttl_seconds=60, database_seconds=0.5)
    import base64

    header = "Basic " + base64.b64encode(f"{new.api_key}:{new.api_secret}".encode()).decode()

    async def ask() -> float:
        begun = time.monotonic()
        async with gatekeeper.admit(header, deadline=begun + 5) as admission:
            await admission.commit()
        return time.monotonic() - begun

    async def refused() -> float:
        begun = time.monotonic()
        with pytest.raises(UnavailableError):
            await ask()
        return time.monotonic() - begun

    async def scenario() -> None:
        await ask()
        stopped = postgres.processes()
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        try:
            waits = await asyncio.gather(*(refused() for _ in range(30)))
            assert max(waits) < 3
        finally:
            for process in stopped:
                os.kill(process, signal.SIGCONT)
        end = time.monotonic() + 30
        while True:
            try:
                await ask()
                return
            except UnavailableError:
                assert time.monotonic() < end
                await asyncio.sleep(0.2)

    try:
        asyncio.run(scenario())
    finally:
        gatekeeper.close()
    assert shop.usage(new.api_key).total >= 2
