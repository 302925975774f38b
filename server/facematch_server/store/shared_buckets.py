"""Buckets of the rate limits in memory that several processes of one machine share."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from facematch_server.store.rate import Bucket

_SLOTS: Final = 8192
# A key's bucket lies in one of this many slots. If they all hold others, the one that was used longest ago gives way;
# after a quiet minute a bucket is full, and to forget it changes nothing.
_PROBES: Final = 16
# Number of the key, tokens, moment.
_FIELDS: Final = 3


class SharedBuckets:
    """A table in shared memory. Make it before the processes are forked, and `attach` it in each of them."""

    def __init__(self, slots: int = _SLOTS) -> None:
        self._slots = slots
        self._numbers = memoryview(mmap.mmap(-1, slots * _FIELDS * 8)).cast("d")
        self._lock: int | None = None

    def attach(self, lock: Path) -> SharedBuckets:
        """Use the table in this process.

        Args:
            lock: a file that all processes lock; the system releases it when its holder is killed.

        Raises:
            OSError: the file cannot be opened.
        """
        self._lock = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes away from the table."""
        # Imported here: Windows lacks it, and this class with it.
        import fcntl

        assert self._lock is not None  # noqa: S101
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

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
