"""Steps of the tests of outages."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from facematch_server.store import ApiKey, Store, UnavailableError, Why

ONLY_SQLITE = pytest.mark.parametrize("empty_database", ["sqlite"], indirect=True)

ONLY_POSTGRES = pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True)

LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


def soon(seconds: float = 0.4) -> float:
    return time.monotonic() + seconds


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process holds the write lock."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", LOCKER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "locked\n"
        yield
    finally:
        process.communicate("\n")


def count_one(store: Store, key: ApiKey) -> None:
    reservation = store.reserve(key, 60, soon(2))
    assert reservation is not None
    assert store.commit(reservation, soon(2))


def why_not(action: Callable[[], object]) -> Why:
    with pytest.raises(UnavailableError) as raised:
        action()
    return raised.value.why


def works_again(store: Store, key: ApiKey) -> None:
    """Within a few seconds, without an operator."""
    end = time.monotonic() + 20
    while True:
        try:
            count_one(store, key)
        except UnavailableError:
            assert time.monotonic() < end
            time.sleep(0.1)
        else:
            store.ping(soon(2))
            return
