"""The cost of admitting and counting a match in the database, without any comparison."""

from __future__ import annotations

import asyncio
import base64
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text

from facematch_server.access.gatekeeper import Gatekeeper
from facematch_server.errors import ContractError, ServiceError
from facematch_server.store import KeySettings, NewKey, Store, StoreError, upgrade
from scripts.scaling.figures import CommitRate, DatabaseFigures
from scripts.scaling.measuring.clients import Client, Sent
from scripts.scaling.measuring.conditions import tree_cpu_seconds
from scripts.scaling.measuring.postgres import Server, fsync_ms, postgres, programs
from scripts.scaling.measuring.round_trips import counted
from scripts.scaling.measuring.service import MeasureError, service

_TTL_SECONDS = 50.0
_LONE = 200
_ROWS = 20_000
_COUNTING_SECONDS = 1.5
# psycopg prepares a statement at its sixth execution, which takes a round trip of its own.
_PREPARING = 10
_CLIENTS = 16
_PGBENCH_SECONDS = 4
_KEYS = (1, 64)
# What `facematch_server.store.counting.count` sends.
_COUNT = """\\set key random(1, {keys})
INSERT INTO usage (key_id, day, requests) VALUES (:key, CURRENT_DATE, 1)
ON CONFLICT (key_id, day) DO UPDATE SET requests = usage.requests + 1;
"""


def database_figures(pack: str, bodies: Sequence[bytes], cores: set[int]) -> list[DatabaseFigures]:
    """SQLite, and PostgreSQL where it is installed."""
    figures = [_sqlite()]
    tools = programs()
    if tools is not None:
        with postgres(tools) as server:
            figures.append(_postgresql(server, pack, bodies, cores))
    return figures


@dataclass(frozen=True, slots=True)
class _Lone:
    """Medians in milliseconds."""

    admit: float
    commit: float


def _sqlite() -> DatabaseFigures:
    with tempfile.TemporaryDirectory(prefix="facematch-scaling-") as name:
        path = Path(name) / "facematch.db"
        url = f"sqlite:///{path}"
        upgrade(url)
        with closing(Store.open(url)) as store:
            limited = store.create_key(KeySettings(quota=10**9))
            lone = _lone(store, limited)
            rates = [_store_rate(store, limited, clients) for clients in (1, 4)]
        size = _file_bytes(url, path)
        _fill(url)
        row = (_file_bytes(url, path) - size) / _ROWS
    return DatabaseFigures(
        kind="sqlite",
        round_trips=0.0,
        round_trips_quota=0.0,
        transactions=0.0,
        admit_ms=lone.admit,
        commit_ms=lone.commit,
        server_cpu_ms=0.0,
        log_bytes=0.0,
        usage_row_bytes=round(row, 1),
        connections=0,
        fsync_ms=0.0,
        rates=tuple(rates),
    )


def _postgresql(server: Server, pack: str, bodies: Sequence[bytes], cores: set[int]) -> DatabaseFigures:
    url = server.url()
    upgrade(url)
    with closing(Store.open(url)) as store:
        limited, free = store.create_key(KeySettings(quota=10**9)), store.create_key()
        for _ in range(max(_KEYS) - 2):
            store.create_key()
        lone = _lone(store, limited)
    # In a connection of its own, since the server counts transactions when a connection ends.
    with closing(Store.open(url)) as store:
        log, cpu, transactions = _log_position(url), tree_cpu_seconds(server.pid), _transactions(url)
        _matches(store, limited, _LONE)
        log_bytes, cpu = _log_position(url) - log, tree_cpu_seconds(server.pid) - cpu
    transactions = _transactions(url) - transactions
    size = _table_bytes(url)
    _fill(url)
    row = (_table_bytes(url) - size) / _ROWS
    return DatabaseFigures(
        kind="postgresql",
        round_trips=_round_trips(server, free),
        round_trips_quota=_round_trips(server, limited),
        transactions=round(transactions / _LONE, 1),
        admit_ms=lone.admit,
        commit_ms=lone.commit,
        server_cpu_ms=round(1000.0 * cpu / _LONE, 2),
        log_bytes=round(log_bytes / _LONE, 0),
        usage_row_bytes=round(row, 1),
        connections=_connections(url, pack, bodies, cores),
        fsync_ms=fsync_ms(server),
        rates=tuple(_pgbench(server, keys) for keys in _KEYS),
    )


def _matches(store: Store, key: NewKey, count: int, at_once: int = 1) -> list[tuple[float, float]]:
    """Admit and count matches as the service does; seconds to admit and seconds to count each.

    Raises:
        MeasureError: the database refused one.
    """
    return asyncio.run(_matches_at_once(store, key, count, at_once))


async def _matches_at_once(store: Store, key: NewKey, count: int, at_once: int) -> list[tuple[float, float]]:
    gatekeeper = Gatekeeper(store, _TTL_SECONDS)
    header = "Basic " + base64.b64encode(f"{key.api_key}:{key.api_secret}".encode()).decode()
    times: list[tuple[float, float]] = []

    async def client() -> None:
        for _ in range(count // at_once):
            begun = time.perf_counter()
            async with gatekeeper.admit(header) as admission:
                admitted = time.perf_counter()
                await admission.commit()
            times.append((admitted - begun, time.perf_counter() - admitted))

    try:
        await asyncio.gather(*(client() for _ in range(at_once)))
    except (ContractError, ServiceError, StoreError) as error:
        raise MeasureError(f"the database did not count a match: {error}") from None
    finally:
        gatekeeper.close()
    return times


def _lone(store: Store, key: NewKey) -> _Lone:
    _matches(store, key, _PREPARING)
    times = _matches(store, key, _LONE)
    return _Lone(*(round(1000.0 * statistics.median(part), 3) for part in zip(*times, strict=True)))


def _store_rate(store: Store, key: NewKey, clients: int) -> CommitRate:
    begun = time.perf_counter()
    times = [sum(parts) for parts in _matches(store, key, _LONE, clients)]
    rate = len(times) / (time.perf_counter() - begun)
    return CommitRate(1, clients, round(rate, 1), round(1000.0 * statistics.fmean(times), 2))


def _pgbench(server: Server, keys: int) -> CommitRate:
    script = server.folder / f"count-{keys}.sql"
    script.write_text(_COUNT.format(keys=keys), "utf-8")
    script.chmod(0o644)
    chosen = ["--no-vacuum", "--protocol", "prepared", "--client", str(_CLIENTS), "--time", str(_PGBENCH_SECONDS)]
    place = ["--host", str(server.folder), "--username", "scaling", "--file", str(script), "postgres"]
    shown = server.run("pgbench", *chosen, *place)
    rate, mean = (re.search(pattern, shown) for pattern in (r"tps = ([\d.]+)", r"latency average = ([\d.]+) ms"))
    if rate is None or mean is None:
        raise MeasureError("pgbench printed no rate")
    return CommitRate(keys, _CLIENTS, round(float(rate[1]), 1), round(float(mean[1]), 2))


def _round_trips(server: Server, key: NewKey, matches: int = 20) -> float:
    with counted(server.folder) as counter, closing(Store.open(server.url(counter.folder))) as store:
        # Several at once, so that every connection of the pool that is used later is open and has prepared.
        _matches(store, key, 8 * _PREPARING, 4)
        _matches(store, key, _PREPARING)
        before = counter.round_trips
        _matches(store, key, matches)
        return round((counter.round_trips - before) / matches, 2)


def _connections(url: str, pack: str, bodies: Sequence[bytes], cores: set[int]) -> int:
    """That a service keeps after eight clients at once."""
    with service(pack, cores, url) as running:
        Client(running, bodies).closed(Sent(), 8, 32)
        return _activity(url)


def _activity(url: str) -> int:
    """Connections of clients but this one."""
    command = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    return int(_scalar(url, command))


def _transactions(url: str) -> int:
    """Committed transactions; waits for the server, which counts a little later."""
    time.sleep(_COUNTING_SECONDS)
    return int(_scalar(url, "SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'"))


def _log_position(url: str) -> int:
    return int(_scalar(url, "SELECT pg_current_wal_lsn() - '0/0'"))


def _table_bytes(url: str) -> int:
    return int(_scalar(url, "SELECT pg_total_relation_size('usage')"))


def _scalar(url: str, command: str) -> float:
    engine = create_engine(_driver(url))
    try:
        with engine.connect() as connection:
            return float(connection.execute(text(command)).scalar_one())
    finally:
        engine.dispose()


def _fill(url: str) -> None:
    """Add days to the counts of the first key."""
    engine = create_engine(_driver(url))
    day = "date('0001-01-01', '+' || :n || ' days')" if url.startswith("sqlite") else "DATE '0001-01-01' + :n"
    try:
        with engine.begin() as connection:
            command = f"INSERT INTO usage (key_id, day, requests) VALUES (1, {day}, 1)"  # noqa: S608
            connection.execute(text(command), [{"n": number} for number in range(_ROWS)])
    finally:
        engine.dispose()


def _file_bytes(url: str, path: Path) -> int:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    finally:
        engine.dispose()
    return path.stat().st_size


def _driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")
