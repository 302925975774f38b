"""Requests per minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimiter:
    """One token bucket per key, in memory and so per process.

    With a limit of N, a key that was quiet for a minute may send N requests at once; further requests pass evenly, at
    N per minute. Thread-safe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[int, _Bucket] = {}
        self._lock = threading.Lock()

    def allow(self, key_id: int, per_minute: int | None) -> float:
        """Take a token and return 0.0, or return the seconds until the next token without taking one."""
        with self._lock:
            if per_minute is None:
                self._buckets.pop(key_id, None)
                return 0.0
            now = self._clock()
            bucket = self._buckets.setdefault(key_id, _Bucket(per_minute, now))
            rate = per_minute / 60
            # `min` also reduces a bucket after the limit was lowered.
            bucket.tokens = min(float(per_minute), bucket.tokens + (now - bucket.filled_at) * rate)
            bucket.filled_at = now
            # A client that waited as long as stated must find a token, despite rounding.
            if bucket.tokens > 1 - 1e-9:
                bucket.tokens -= 1
                return 0.0
            return (1 - bucket.tokens) / rate
