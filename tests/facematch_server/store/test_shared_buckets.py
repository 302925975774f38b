"""Rate limits that several processes share."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from facematch_server.store.rate import Bucket, RateLimiter
from facematch_server.store.shared_buckets import SharedBuckets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="several workers need Linux")


@pytest.fixture
def buckets() -> Iterator[SharedBuckets]:
    with closing(SharedBuckets()) as buckets:
        yield buckets


def test_processes_share_a_limit_exactly(buckets: SharedBuckets) -> None:
    """Four processes take what one could."""
    reading, writing = os.pipe()
    pids = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            limiter = RateLimiter(lambda: 100.0, buckets)
            taken = sum(limiter.allow(7, 1000) == 0.0 for _ in range(600))
            os.write(writing, f"{taken}\n".encode())
            os._exit(0)
        pids.append(pid)
    os.close(writing)
    for pid in pids:
        os.waitpid(pid, 0)
    with open(reading) as pipe:
        assert sum(map(int, pipe)) == 1000


def test_a_process_that_is_killed_with_the_lock_blocks_nobody(buckets: SharedBuckets) -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        with buckets.locked():
            os.write(writing, b"x")
            time.sleep(100)
    assert os.read(reading, 1) == b"x"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert RateLimiter(buckets=buckets).allow(1, 5) == 0.0
    os.close(reading)
    os.close(writing)


def test_a_key_whose_limit_was_removed_begins_anew(buckets: SharedBuckets) -> None:
    limiter = RateLimiter(lambda: 0.0, buckets)
    assert [limiter.allow(1, 2) for _ in range(3)] == [0.0, 0.0, pytest.approx(30.0)]
    assert limiter.allow(1, None) == 0.0
    assert [limiter.allow(1, 2) for _ in range(2)] == [0.0, 0.0]


def test_in_a_full_table_the_bucket_used_longest_ago_gives_way() -> None:
    with closing(SharedBuckets(slots=16)) as buckets:
        for key in range(1, 17):
            buckets.put(key, Bucket(1.0, float(key)))
        buckets.put(3, Bucket(1.0, 50.0))
        buckets.put(100, Bucket(2.0, 60.0))
        assert buckets.get(1) is None
        assert buckets.get(3) == Bucket(1.0, 50.0)
        assert buckets.get(100) == Bucket(2.0, 60.0)
        assert all(buckets.get(key) for key in range(2, 17))
