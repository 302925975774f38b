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

    With a limit of N a key that was quiet for a minute may send N requests at once; after that they
    are let through at N per minute, evenly. Thread-safe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[int, _Bucket] = {}
        self._lock = threading.Lock()

    def allow(self, key_id: int, per_minute: int | None) -> float:
        """Take a token: 0.0, or the seconds until there is one (and then none was taken)."""
        with self._lock:
            if per_minute is None:
                self._buckets.pop(key_id, None)
                return 0.0
            now = self._clock()
            bucket = self._buckets.setdefault(key_id, _Bucket(per_minute, now))
            rate = per_minute / 60
            # `min` also cuts a bucket down to a limit that was lowered.
            bucket.tokens = min(float(per_minute), bucket.tokens + (now - bucket.filled_at) * rate)
            bucket.filled_at = now
            # Whoever waited as long as told finds a token, rounding or not.
            if bucket.tokens > 1 - 1e-9:
                bucket.tokens -= 1
                return 0.0
            return (1 - bucket.tokens) / rate
