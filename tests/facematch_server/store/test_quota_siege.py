"""A quota is exact while processes are killed and the server of the database crashes."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from facematch_server.store import KeySettings, NewKey, Store, Usage

WORKER = Path(__file__).with_name("gate_worker.py")
ROOT = Path(__file__).resolve().parents[3]
TTL_SECONDS = 30
AT_ONCE = 4


@dataclass
class Siege:
    """Processes that send requests.

    Attributes:
        url: of the database.
        key: the key of all requests.
        said: the words of all processes, ended ones included.
        killed: number of killed processes.
    """

    url: str
    key: NewKey
    said: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    words: queue.Queue[tuple[subprocess.Popen[str], str]] = field(default_factory=queue.Queue)
    left: dict[subprocess.Popen[str], int] = field(default_factory=dict)

    def start(self, requests: int) -> None:
        """Start a process that sends this many requests."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "server"), str(ROOT)])}
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, str(WORKER), self.url, str(requests), str(AT_ONCE), str(TTL_SECONDS)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin
        process.stdin.write(f"{self.key.api_key}:{self.key.api_secret}\n")
        process.stdin.flush()
        self.left[process] = requests
        threading.Thread(target=self._read, args=(process,), daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            self.words.put((process, line.strip()))
        self.words.put((process, "end"))

    def kill_one(self) -> None:
        """Kill a process with SIGKILL, wherever it is; another one sends the rest of its requests."""
        process = next(process for process, left in self.left.items() if left > AT_ONCE)
        process.kill()
        self.killed += 1

    def next_word(self) -> None:
        """Wait for the next word of any process."""
        process, word = self.words.get(timeout=60)
        if word == "end":
            left = self.left.pop(process)
            killed = process.wait() != 0
            assert killed or left == 0
            if left:
                self.start(left)
        elif word != "ready":
            self.said[word] += 1
            self.left[process] -= 1

    def close(self) -> None:
        """End all processes."""
        for process in self.left:
            process.kill()
            process.wait()


@pytest.fixture
def siege(database_url: str) -> Iterator[Siege]:
    with closing(Store.open(database_url)) as store:
        key = store.create_key(KeySettings("shared by all processes", quota=5000))
    with closing(Siege(database_url, key)) as siege:
        yield siege


def use_up(siege: Siege, after: timedelta) -> Usage:
    """Commit until the quota says no, with a clock that far ahead; the usage then."""
    with closing(Store.open(siege.url, clock=lambda: datetime.now(UTC) + after)) as store:
        key = store.authenticate(siege.key.api_key, siege.key.api_secret)
        assert key
        while reservation := store.reserve(key, 60):
            assert store.commit(reservation)
        return store.usage(siege.key.api_key)


@pytest.mark.slow
@pytest.mark.timeout(500)
@pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True)
def test_8_processes_and_16000_requests_at_a_quota_of_5000_with_kills_and_a_crash(siege: Siege, postgres: Any) -> None:
    for _ in range(8):
        siege.start(2000)
    kills = [300, 1200, 2100, 3000, 3900]
    crashed = False
    while siege.left:
        siege.next_word()
        if kills and siege.said["committed"] >= kills[0]:
            kills.pop(0)
            siege.kill_one()
        if siege.said["committed"] >= 2500 and not crashed:
            crashed = True
            postgres.stop()
            time.sleep(0.5)
            postgres.start()

    assert (siege.killed, crashed) == (5, True)
    assert siege.said.total() == 16_000
    assert siege.said["committed"] <= 5000
    with closing(Store.open(siege.url)) as store:
        found = store.usage(siege.key.api_key)
    # Everything that was answered is counted. A commit without an answer, and the requests of a killed process, may be.
    doubtful = siege.said["unsure"] + AT_ONCE * siege.killed
    assert siege.said["committed"] <= found.total <= siege.said["committed"] + doubtful
    assert found.total + found.reserved <= 5000
    # The places that killed processes held come back, and exactly they.
    final = use_up(siege, after=timedelta(hours=2))
    assert (final.total, final.reserved, final.remaining) == (5000, 0, 0)
