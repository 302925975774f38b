"""Speed of admitting and counting requests, without comparing photos: database and client code only.

Several processes, each with several threads, admit and commit requests of known logins as fast as they can. One key
shows the worst case, because its requests wait for each other's lock; with many keys they seldom do. The script prints
requests per second, the medians of both steps, the CPU time of the client side per request, and, on PostgreSQL, the
transactions per request that the server reports: each takes one round trip.

    python -m scripts.quota_benchmark [--database-url URL | --throwaway] [--processes 2] [--threads 4] [--seconds 5]

`--throwaway` starts a PostgreSQL server in a temporary folder, if one is installed; by default an SQLite file is used.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from facematch_server.store import KeySettings, Store, upgrade

Credentials = tuple[str, str]


@dataclass(frozen=True)
class Part:
    """What one process did: seconds of each admission and commit, and its CPU seconds."""

    admit: list[float]
    commit: list[float]
    cpu: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--database-url", help="an empty database, or one that this service made")
    place.add_argument("--throwaway", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    with database(options) as url:
        upgrade(url)
        print(f"{'keys':>6}{'requests/s':>12}{'admit, ms':>11}{'commit, ms':>12}{'CPU, ms':>9}{'transactions':>14}")
        for keys in (1, 100):
            measure(url, keys, options)


@contextmanager
def database(options: argparse.Namespace) -> Iterator[str]:
    """URL of the database."""
    if options.throwaway:
        from tests.postgres_server import throwaway_server

        with throwaway_server(durable=True) as server, server.new_database() as url:
            yield url
    elif options.database_url:
        yield options.database_url
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'facematch.db'}"


def measure(url: str, keys: int, options: argparse.Namespace) -> None:
    """Print one line."""
    with closing(Store.open(url)) as store:
        made = [store.create_key(KeySettings(f"benchmark {number}", quota=10**9)) for number in range(keys)]
    credentials = [(new.api_key, new.api_secret) for new in made]
    before = transactions(url)
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.processes) as pool:
        jobs = [(url, credentials, options.threads, options.seconds)] * options.processes
        parts: list[Part] = pool.starmap(work, jobs, chunksize=1)
    admit = [seconds for part in parts for seconds in part.admit]
    commit = [seconds for part in parts for seconds in part.commit]
    after = transactions(url)
    per_request = "" if before is None or after is None else f"{(after - before) / len(commit):.2f}"
    print(
        f"{keys:>6}{len(commit) / options.seconds:>12.0f}{1000 * statistics.median(admit):>11.2f}"
        f"{1000 * statistics.median(commit):>12.2f}{1000 * sum(part.cpu for part in parts) / len(commit):>9.2f}"
        f"{per_request:>14}",
        flush=True,
    )


def work(url: str, credentials: list[Credentials], threads: int, seconds: float) -> Part:
    """Be one process."""
    part = Part([], [], 0.0)
    with closing(Store.open(url)) as store:
        for pair in credentials:
            store.look_up(*pair)
        begun = time.process_time()
        end = time.monotonic() + seconds
        running = [
            threading.Thread(target=requests, args=(store, credentials[number % len(credentials) :], end, part))
            for number in range(threads)
        ]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return Part(part.admit, part.commit, time.process_time() - begun)


def requests(store: Store, credentials: list[Credentials], end: float, part: Part) -> None:
    """Send requests one after the other."""
    number = 0
    while (begun := time.monotonic()) < end:
        known = store.recall(*credentials[number % len(credentials)])
        assert known is not None
        admitted = store.admit(known, 60)
        assert admitted is not None
        assert admitted.reservation is not None
        between = time.monotonic()
        assert store.commit(admitted.reservation)
        part.admit.append(between - begun)
        part.commit.append(time.monotonic() - between)
        number += 1


def transactions(url: str) -> int | None:
    """Transactions that the server has committed in this database; None for SQLite."""
    if url.startswith("sqlite"):
        return None
    time.sleep(1.5)  # until the server's own count is up to date
    engine: Any = create_engine(url)
    with engine.connect() as connection:
        counted = text("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        number: int = connection.execute(counted).scalar_one()
    engine.dispose()
    return number


if __name__ == "__main__":
    main()
