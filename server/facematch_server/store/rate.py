"""Requests per minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, Protocol


class Bucket(NamedTuple):
    """The tokens that a key had at a moment."""

    tokens: float
    filled_at: float


class Buckets(Protocol):
    """Where the buckets of keys are kept. `RateLimiter` calls it from one thread at a time."""

    def locked(self) -> AbstractContextManager[object]: ...
    def get(self, key_id: int) -> Bucket | None: ...
    def put(self, key_id: int, bucket: Bucket) -> None: ...
    def drop(self, key_id: int) -> None: ...


class OwnBuckets:
    """The buckets of this process only."""

    def __init__(self) -> None:
        self._buckets: dict[int, Bucket] = {}

    def locked(self) -> AbstractContextManager[object]:
        """Nothing: no other process has them."""
        return nullcontext()

    def get(self, key_id: int) -> Bucket | None:
        """The bucket of a key; None if it is full."""
        return self._buckets.get(key_id)

    def put(self, key_id: int, bucket: Bucket) -> None:
        """Keep a bucket."""
        self._buckets[key_id] = bucket

    def drop(self, key_id: int) -> None:
        """Forget a bucket."""
        self._buckets.pop(key_id, None)


class RateLimiter:
    """One token bucket per key, in memory: per process, or per machine where the processes share `buckets`.

    With a limit of N, a key that was quiet for a minute may send N requests at once; further requests pass evenly, at
    N per minute. Thread-safe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, buckets: Buckets | None = None) -> None:
        """See the class.

        Args:
            clock: seconds, the same in all processes that share the buckets.
            buckets: where to keep them; default in this process.
        """
        self._clock = clock
        self._buckets = OwnBuckets() if buckets is None else buckets
        self._lock = threading.Lock()

    def allow(self, key_id: int, per_minute: int | None) -> float:
        """Take a token and return 0.0, or return the seconds until the next token without taking one."""
        with self._lock, self._buckets.locked():
            if per_minute is None:
                self._buckets.drop(key_id)
                return 0.0
            now = self._clock()
            tokens, filled_at = self._buckets.get(key_id) or Bucket(per_minute, now)
            rate = per_minute / 60
            # `min` also reduces a bucket after the limit was lowered.
            tokens = min(float(per_minute), tokens + (now - filled_at) * rate)
            # A client that waited as long as stated must find a token, despite rounding.
            allowed = tokens > 1 - 1e-9
            self._buckets.put(key_id, Bucket(tokens - allowed, now))
            return 0.0 if allowed else (1 - tokens) / rate
