"""Reserving, counting and giving back quota: calls that may block run in separate threads, with time limits."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from facematch_server.access.database_wait import GRACE_SECONDS, in_time
from facematch_server.access.key_store import KeyStore
from facematch_server.access.workers import Workers
from facematch_server.logs import log_fault
from facematch_server.store.logins import KnownLogin
from facematch_server.store.records import Admitted, ApiKey, Reservation

# Separate from the threads that look up keys, so that counting never waits for slow hashing.
_THREADS: Final = 4


class Reservations:
    """The quota of requests in flight."""

    def __init__(self, store: KeyStore, ttl_seconds: float, database_seconds: float) -> None:
        """Threads start with the first call.

        Args:
            store: keys and quotas.
            ttl_seconds: longer than any request takes; the store drops an older reservation.
            database_seconds: how long a request waits for the database.
        """
        self._store = store
        self._ttl_seconds = ttl_seconds
        self._seconds = database_seconds
        self._workers = Workers("count", _THREADS)

    async def reserve(self, key: ApiKey, until: float) -> Reservation | None:
        """Reserve one request of the key's quota; None if the quota is used up.

        Raises:
            UnavailableError: the database does not answer before `until`.
        """
        if key.quota is None:
            # Needs no database (see `KeyStore`), so a thread would only cost two changes of threads.
            return self._store.reserve(key, self._ttl_seconds, until)
        with in_time():
            return await self._workers.call(
                self._store.reserve,
                key,
                self._ttl_seconds,
                until,
                until=until + GRACE_SECONDS,
                undo=self._undo,
            )

    async def admit(self, known: KnownLogin, until: float) -> Admitted | None:
        """Check a known login and reserve one request, see `Store.admit`.

        Raises:
            UnavailableError: the database does not answer before `until`.
        """
        with in_time():
            return await self._workers.call(
                self._store.admit,
                known,
                self._ttl_seconds,
                until,
                until=until + GRACE_SECONDS,
                undo=lambda admitted: self._undo(admitted.reservation if admitted else None),
            )

    async def commit(self, reservation: Reservation, deadline: float) -> bool:
        """Count the request; False if its reservation had expired and cannot be counted any more.

        Raises:
            UnavailableError: the database does not answer in time.
        """
        until = min(time.monotonic() + self._seconds, deadline)
        with in_time():
            return await self._workers.call(self._store.commit, reservation, until, until=until + GRACE_SECONDS)

    async def release(self, reservation: Reservation, deadline: float) -> None:
        """Give the reservation back. Waits for the database no longer than any call does, and never fails."""
        if not reservation.limited:  # needs no database, either
            self._give_back(reservation, None)
            return
        # A request that reached its deadline has a moment for this, too.
        until = min(time.monotonic() + self._seconds, max(deadline, time.monotonic() + GRACE_SECONDS))
        # The job runs to its end even if this task is cancelled or stops waiting.
        job = self._workers.submit(self._give_back, reservation, until)
        done, _ = await asyncio.wait(
            [asyncio.wrap_future(job.future)], timeout=until + GRACE_SECONDS - time.monotonic()
        )
        for one in done:
            one.exception()  # set only while the service stops, when jobs are refused

    def close(self) -> None:
        """End the threads."""
        self._workers.close()

    def _undo(self, reservation: Reservation | None) -> None:
        if reservation is not None:
            self._give_back(reservation, None)

    def _give_back(self, reservation: Reservation, until: float | None) -> None:
        try:
            self._store.release(reservation, until)
        except Exception as error:  # any driver's own
            log_fault("a reservation was not given back; it expires", error)
