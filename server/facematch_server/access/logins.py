"""Checking credentials: the store's look-up and its slow hashing, each in threads of their own."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any, Final

from facematch_server.access.credentials import Credentials
from facematch_server.access.database_wait import GRACE_SECONDS, Patience, in_time
from facematch_server.access.fair_queue import FairQueue, Lane
from facematch_server.access.key_store import KeyStore
from facematch_server.access.workers import Job, Workers
from facematch_server.errors import BUSY, ServiceError
from facematch_server.store.logins import Login
from facematch_server.store.records import ApiKey

# Looking keys up and hashing have separate threads, so that no look-up waits for slow hashing.
_LOOKING_UP: Final = 4
# Logins of imported keys that may wait for a hash (50 ms each), for each hash that runs. One more is answered 503 at
# once, so no login waits longer than half a second.
_HASHES_WAITING: Final = 8
_HASHES_WAITING_PER_LANE: Final = 4
# The shortest look-up that refuses; on an idle machine SQLite needs half of it. An unknown key may cost the store a
# microsecond more or less than a wrong secret, and a client on the same network could measure that with many requests.
# A thread waits: the event loop's clock has whole milliseconds, and would pass the difference on.
REFUSAL_SECONDS: Final = 0.0005


class Logins:
    """Checks credentials against the store."""

    def __init__(self, store: KeyStore, hashing: int) -> None:
        """Threads start with the first login.

        Args:
            store: keys and quotas.
            hashing: slow hashes at the same time.
        """
        self._store = store
        self._lookups = Workers("login", _LOOKING_UP)
        queue: FairQueue[Job[Any]] = FairQueue(_HASHES_WAITING * hashing, _HASHES_WAITING_PER_LANE)
        self._hashes = Workers("hash", hashing, queue)
        self._hashing: dict[Credentials, asyncio.Future[ApiKey | None]] = {}

    async def authenticate(self, credentials: Credentials, address: str, patience: Patience) -> ApiKey | None:
        """The key of the credentials; None if the key is unknown, disabled or expired, or the secret is wrong.

        Raises:
            ServiceError: 503: too many slow logins at the same time.
            UnavailableError: the database does not answer in time.
        """
        with patience.spent() as until, in_time():
            login = await self._lookups.call(
                self._look_up,
                credentials.api_key,
                credentials.api_secret,
                until,
                until=until + GRACE_SECONDS,
            )
        return await self._hash(credentials, login, address, patience.deadline) if login.slow else login.key

    def _look_up(self, api_key: str, api_secret: str, until: float) -> Login:
        earliest = time.monotonic() + REFUSAL_SECONDS
        login = self._store.look_up(api_key, api_secret, until)
        if login.key is None and not login.slow:
            time.sleep(max(earliest - time.monotonic(), 0.0))
        return login

    def close(self) -> None:
        """End the threads."""
        self._lookups.close()
        self._hashes.close()

    async def _hash(self, credentials: Credentials, login: Login, address: str, deadline: float) -> ApiKey | None:
        """Hash once for equal credentials that arrive together: a starting client sends many."""
        running = self._hashing.get(credentials)
        if running is None:
            lane = Lane(address, credentials.api_key)
            running = asyncio.wrap_future(self._hashes.submit(self._store.settle, login, lane=lane).future)
            self._hashing[credentials] = running
            running.add_done_callback(lambda done: self._hashed(credentials, done))
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0.0) if deadline < math.inf else None):
                return await asyncio.shield(running)
        except TimeoutError:
            raise ServiceError(503, BUSY, retry_after=1.0) from None

    def _hashed(self, credentials: Credentials, done: asyncio.Future[ApiKey | None]) -> None:
        del self._hashing[credentials]
        done.cancelled() or done.exception()  # retrieved here in case no request waits any more
