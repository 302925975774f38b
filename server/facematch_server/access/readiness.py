"""Whether requests could be admitted: asked of the database itself, beside the event loop, and seldom."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from facematch_server.access.gatekeeper import KeyStore, in_time
from facematch_server.access.workers import Workers
from facematch_server.logs import log_fault
from facematch_server.store import UnavailableError, Why

# Anybody may ask; each answer stands for a while, so that asking costs the database nothing worth mentioning.
_KEEP_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 0.25


class StorageProbe:
    """Asks the database whether it takes and gives data."""

    def __init__(self, store: KeyStore, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the store.

        Args:
            store: what is asked.
            seconds: how long it may take to answer.
            clock: seconds; only tests need another one.
        """
        self._store = store
        self._seconds = seconds
        self._clock = clock
        self._workers = Workers("probe", 1)
        self._asking = asyncio.Lock()
        self._asked_at = -float("inf")
        self._trouble: Why | None = None

    async def trouble(self) -> Why | None:
        """What is wrong with the database, in words fit for strangers; None: nothing."""
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
                await self._workers.call(self._store.ping, until, until=until + _GRACE_SECONDS)
        except UnavailableError as error:
            log_fault("the database does not answer", error, reason=str(error.why))
            return error.why
        except Exception as error:  # any driver's own
            log_fault("the database does not answer", error)
            return Why.FAILED
        return None
