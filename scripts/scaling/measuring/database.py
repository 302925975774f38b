"""The cost of admitting and counting a match in the database, without any comparison."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, text

from facematch_server.store import KeySettings, NewKey, Store, upgrade
from scripts.scaling.figures import CommitRate, DatabaseFigures
from scripts.scaling.measuring.clients import Client, Sent
from scripts.scaling.measuring.conditions import tree_cpu_seconds
from scripts.scaling.measuring.postgres import Server, fsync_ms, postgres, programs
from scripts.scaling.measuring.round_trips import counted
from scripts.scaling.measuring.service import MeasureError, service

_TTL_SECONDS = 50.0
_LONE = 200
_ROWS = 20_000
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
    """Medians in milliseconds, and transactions a match."""

    admit: float
    commit: float
    transactions: float


def _sqlite() -> DatabaseFigures:
    with tempfile.TemporaryDirectory(prefix="facematch-scaling-") as name:
        path = Path(name) / "facematch.db"
        url = f"sqlite:///{path}"
        upgrade(url)
        with closing(Store.open(url)) as store:
            limited = store.create_key(KeySettings(quota=10**9))
            lone = _lone(store, limited)
            rates = [_store_rate(store, [limited], clients) for clients in (1, 4)]
        size = _file_bytes(url, path)
        _fill(url)
        row = (_file_bytes(url, path) - size) / _ROWS
    return DatabaseFigures(
        kind="sqlite",
        round_trips=0.0,
        round_trips_quota=0.0,
        transactions=lone.transactions,
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
        _lone(store, limited)  # warms up
        log, cpu = _log_position(url), tree_cpu_seconds(server.pid)
        lone = _lone(store, limited)
        log_bytes, cpu = _log_position(url) - log, tree_cpu_seconds(server.pid) - cpu
    size = _table_bytes(url)
    _fill(url)
    row = (_table_bytes(url) - size) / _ROWS
    return DatabaseFigures(
        kind="postgresql",
        round_trips=_round_trips(server, free),
        round_trips_quota=_round_trips(server, limited),
        transactions=lone.transactions,
        admit_ms=lone.admit,
        commit_ms=lone.commit,
        server_cpu_ms=round(1000.0 * cpu / _LONE, 2),
        log_bytes=round(log_bytes / _LONE, 0),
        usage_row_bytes=round(row, 1),
        connections=_connections(url, pack, bodies, cores),
        fsync_ms=fsync_ms(server),
        rates=tuple(_pgbench(server, keys) for keys in _KEYS),
    )


def _match(store: Store, key: NewKey) -> tuple[float, float]:
    """Admit and count one match; seconds of each."""
    begun = time.perf_counter()
    found = store.authenticate(key.api_key, key.api_secret)
    reservation = None if found is None else store.reserve(found, _TTL_SECONDS)
    admitted = time.perf_counter()
    if reservation is None or not store.commit(reservation):
        raise MeasureError("the database did not count a match")
    return admitted - begun, time.perf_counter() - admitted


def _lone(store: Store, key: NewKey) -> _Lone:
    begun = 0

    def note(_connection: object) -> None:
        nonlocal begun
        begun += 1

    event.listen(Engine, "begin", note)
    try:
        times = [_match(store, key) for _ in range(_LONE)]
    finally:
        event.remove(Engine, "begin", note)
    admit, commit = (round(1000.0 * statistics.median(part), 3) for part in zip(*times, strict=True))
    return _Lone(admit, commit, begun / _LONE)


def _store_rate(store: Store, keys: Sequence[NewKey], clients: int) -> CommitRate:
    def work(number: int) -> list[float]:
        return [sum(_match(store, keys[number % len(keys)])) for _ in range(_LONE // clients)]

    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        times = [seconds for part in threads.map(work, range(clients)) for seconds in part]
    rate = len(times) / (time.perf_counter() - begun)
    return CommitRate(len(keys), clients, round(rate, 1), round(1000.0 * statistics.fmean(times), 2))


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
        for _ in range(_PREPARING):
            _match(store, key)
        before = counter.round_trips
        for _ in range(matches):
            _match(store, key)
        return (counter.round_trips - before) / matches


def _connections(url: str, pack: str, bodies: Sequence[bytes], cores: set[int]) -> int:
    """That a service keeps after eight clients at once."""
    with service(pack, cores, url) as running:
        Client(running, bodies).closed(Sent(), 8, 32)
        return _activity(url)


def _activity(url: str) -> int:
    """Connections of clients but this one."""
    command = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    return int(_scalar(url, command))


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
