"""Counting is exact with several processes, threads and a process killed in mid-request."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facematch_server.store import KeySettings, NewKey, Store, Usage

WORKER = Path(__file__).with_name("quota_worker.py")
ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def worker(url: str, key: NewKey, requests: int, threads: int, unfinished: int = 0) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "server"), str(ROOT)])}
    command = [sys.executable, str(WORKER), url, key.api_key, key.api_secret, str(requests), str(threads)]
    process = subprocess.Popen(  # noqa: S603
        [*command, str(unfinished)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def use_up(url: str, key: NewKey, after: timedelta) -> Usage:
    """Commit until the quota says no, with a clock that far ahead; the usage then."""
    store = Store.open(url, clock=lambda: datetime.now(UTC) + after)
    try:
        known = store.authenticate(key.api_key, key.api_secret)
        assert known
        while reservation := store.reserve(known, 60):
            assert store.commit(reservation)
        return store.usage(key.api_key)
    finally:
        store.close()


def usage(url: str, key: NewKey) -> Usage:
    store = Store.open(url)
    try:
        return store.usage(key.api_key)
    finally:
        store.close()


@pytest.fixture
def key(database_url: str) -> NewKey:
    store = Store.open(database_url)
    try:
        return store.create_key(KeySettings("shared by all workers", quota=200))
    finally:
        store.close()


@pytest.mark.slow
def test_500_requests_at_a_quota_of_200_with_a_worker_killed_while_it_holds_five(
    database_url: str, key: NewKey
) -> None:
    with ExitStack() as stack:
        doomed = stack.enter_context(worker(database_url, key, requests=20, threads=4, unfinished=5))
        others = [stack.enter_context(worker(database_url, key, requests=160, threads=8)) for _ in range(3)]
        go(doomed)
        for process in others:
            go(process)
        assert doomed.stdout
        said = Counter[str]()
        for line in doomed.stdout:
            said[line.strip()] += 1
            if line == "waiting\n":
                break
        os.kill(doomed.pid, signal.SIGKILL)
        for process in others:
            output, _ = process.communicate(timeout=100)
            assert process.returncode == 0
            said.update(output.split())

    assert said["held"] == 5
    assert said["committed"] + said["released"] + said["refused"] + said["held"] == 500
    found = usage(database_url, key)
    # Nothing counted that was not committed, nothing committed that was not counted, the dead one's five kept.
    assert found.total == said["committed"]
    assert found.reserved == 5
    assert found.total + found.reserved <= 200
    assert said["refused"] > 0

    assert use_up(database_url, key, after=timedelta()).total == 195
    # The dead worker's reservations expire, and exactly they can be used again.
    final = use_up(database_url, key, after=timedelta(hours=2))
    assert (final.total, final.reserved, final.remaining) == (200, 0, 0)


@pytest.mark.slow
def test_a_worker_killed_anywhere_leaves_an_exact_count(database_url: str, key: NewKey) -> None:
    threads = 4
    with ExitStack() as stack:
        doomed = stack.enter_context(worker(database_url, key, requests=100_000, threads=threads))
        other = stack.enter_context(worker(database_url, key, requests=100, threads=threads))
        go(doomed)
        go(other)
        assert doomed.stdout
        said = Counter[str]()
        for line in doomed.stdout:
            said[line.strip()] += 1
            if said["committed"] == 30:
                break
        os.kill(doomed.pid, signal.SIGKILL)
        said.update(doomed.stdout.read().split())
        output, _ = other.communicate(timeout=100)
        said.update(output.split())

    found = usage(database_url, key)
    # Each thread of the dead one may have been anywhere in one request, also between the count and its word.
    assert said["committed"] <= found.total <= said["committed"] + threads
    assert found.reserved <= threads
    final = use_up(database_url, key, after=timedelta(hours=2))
    assert (final.total, final.reserved) == (200, 0)
