"""Buckets of the rate limits in memory that several processes of one machine share."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from facematch_server.store.rate import Bucket

_SLOTS: Final = 8192
# A key's bucket lies in one of this many slots. If they all hold others, the one that was used longest ago gives way;
# after a quiet minute a bucket is full, and to forget it changes nothing.
_PROBES: Final = 16
# Number of the key, tokens, moment.
_FIELDS: Final = 3


class SharedBuckets:
    """A table in shared memory. Make it before the processes are forked; each of them then uses it as it is. Linux."""

    def __init__(self, slots: int = _SLOTS) -> None:
        self._slots = slots
        self._numbers = memoryview(mmap.mmap(-1, slots * _FIELDS * 8)).cast("d")
        # A file without a name, so that no cleaner of temporary files can remove it and part the processes.
        self._lock = os.memfd_create("facematch-rates")

    def close(self) -> None:
        """Close the lock in this process."""
        os.close(self._lock)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes away from the table; call it from one thread at a time."""
        # Imported here: Windows lacks it, and this class with it.
        import fcntl

        # A lock of the process: `flock` would hold for all processes that inherited the descriptor. The system releases
        # it when the process is killed.
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def get(self, key_id: int) -> Bucket | None:
        """The bucket of a key; None if it is full."""
        at = self._find(key_id)
        return None if at is None else Bucket(self._numbers[at + 1], self._numbers[at + 2])

    def put(self, key_id: int, bucket: Bucket) -> None:
        """Keep a bucket."""
        at = self._find(key_id)
        if at is None:
            # An empty slot was never used, so its moment is the earliest.
            at = min(self._places(key_id), key=lambda place: self._numbers[place + 2])
        self._numbers[at], self._numbers[at + 1], self._numbers[at + 2] = float(key_id), *bucket

    def drop(self, key_id: int) -> None:
        """Forget a bucket."""
        at = self._find(key_id)
        if at is not None:
            self._numbers[at] = self._numbers[at + 1] = self._numbers[at + 2] = 0.0

    def _find(self, key_id: int) -> int | None:
        return next((place for place in self._places(key_id) if self._numbers[place] == key_id), None)

    def _places(self, key_id: int) -> list[int]:
        return [(key_id + probe) % self._slots * _FIELDS for probe in range(_PROBES)]
