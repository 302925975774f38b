"""Whether requests could be admitted: asks the database itself, beside the event loop, at most once a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from facematch_server.access.key_store import KeyStore
from facematch_server.access.patience import GRACE_SECONDS, in_time
from facematch_server.access.workers import Workers
from facematch_server.logs import log_fault
from facematch_server.store import UnavailableError, Why

# Anybody may ask for the readiness. Each answer is kept this long, so that asking costs the database almost nothing.
_KEEP_SECONDS: Final = 1.0


class StorageProbe:
    """Checks that the database reads and writes."""

    def __init__(self, store: KeyStore, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """The thread starts with the first question.

        Args:
            store: the database.
            seconds: how long the database may take to answer.
            clock: seconds; for tests.
        """
        self._store = store
        self._seconds = seconds
        self._clock = clock
        self._workers = Workers("probe", 1)
        self._asking = asyncio.Lock()
        self._asked_at = -float("inf")
        self._trouble: Why | None = None

    async def trouble(self) -> Why | None:
        """Why the database does not work, in words that clients may see; None if it works."""
        async with self._asking:
            if self._clock() - self._asked_at >= _KEEP_SECONDS:
                self._trouble = await self._ask()
                self._asked_at = self._clock()
            return self._trouble

    def close(self) -> None:
        """End the thread."""
        self._workers.close()

    async def _ask(self) -> Why | None:
        until = time.monotonic() + self._seconds
        try:
            with in_time():
                await self._workers.call(self._store.ping, until, until=until + GRACE_SECONDS)
        except UnavailableError as error:
            log_fault("the database does not answer", error, reason=str(error.why))
            return error.why
        except Exception as error:  # any driver's own
            log_fault("the database does not answer", error)
            return Why.FAILED
        return None
