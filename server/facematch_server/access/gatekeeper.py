"""Admission of requests: Basic credentials, rate limit, quota. Store calls never run on the event loop."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from facematch_local.codes import ErrorCode
from facematch_server.access.credentials import Credentials, parse_basic
from facematch_server.access.database_wait import Patience
from facematch_server.access.key_store import KeyStore
from facematch_server.access.logins import Logins
from facematch_server.access.reservations import Reservations
from facematch_server.errors import ContractError
from facematch_server.store.hashing import CONCURRENT_SCRYPT
from facematch_server.store.records import Admitted, ApiKey, Reservation

# A reservation outlives the longest request by this much before the store drops it.
RESERVATION_SLACK_SECONDS: Final = 30.0


class Admission:
    """One admitted request: its key and its reservation of quota.

    Attributes:
        key: the API key of the request.
    """

    def __init__(self, key: ApiKey, reservation: Reservation, reservations: Reservations, deadline: float) -> None:
        self.key = key
        self._reservation: Reservation | None = reservation
        self._reservations = reservations
        self._deadline = deadline

    async def commit(self) -> None:
        """Count the request against the quota; call it before the reply is sent.

        Raises:
            ContractError: OUT_OF_REQUESTS: the reservation had expired and another request got it.
            UnavailableError: the database does not count it, or not in time.
        """
        reservation, self._reservation = self._reservation, None
        if reservation is None:
            raise RuntimeError("an admission is committed once")
        if not await self._reservations.commit(reservation, self._deadline):
            raise ContractError(ErrorCode.OUT_OF_REQUESTS)

    async def close(self) -> None:
        """Give the reservation back unless it was committed; if that fails, it expires."""
        reservation, self._reservation = self._reservation, None
        if reservation is not None:
            await self._reservations.release(reservation, self._deadline)


class Gatekeeper:
    """Admits requests."""

    def __init__(
        self,
        store: KeyStore,
        ttl_seconds: float,
        failure_status: int = 200,
        database_seconds: float = 2.0,
        hashing: int = CONCURRENT_SCRYPT,
    ) -> None:
        """Threads start with the first requests.

        Args:
            store: keys and quotas.
            ttl_seconds: longer than any request takes; the store drops an older reservation.
            failure_status: HTTP status that goes with BAD_CREDENTIALS.
            database_seconds: how long a request waits for the database until it is admitted, and again until it is
                counted.
            hashing: slow hashes at the same time.
        """
        self._store = store
        self._failure_status = failure_status
        self._seconds = database_seconds
        self._logins = Logins(store, hashing)
        self._reservations = Reservations(store, ttl_seconds, database_seconds)

    @asynccontextmanager
    async def admit(
        self, authorization: str | None, address: str = "", deadline: float = math.inf
    ) -> AsyncIterator[Admission]:
        """Check the credentials, the rate limit and the quota, in this order.

        On leaving, the reservation of quota is given back unless it was committed.

        Args:
            authorization: the header.
            address: address of the client; slow logins of one address wait for each other.
            deadline: when the request must be answered, on the clock of `time.monotonic`.

        Raises:
            ContractError: BAD_CREDENTIALS or OUT_OF_REQUESTS.
            ServiceError: 503: too many logins of imported keys at the same time.
            UnavailableError: the database does not work.
        """
        credentials = parse_basic(authorization)
        if credentials is None:
            raise ContractError(ErrorCode.BAD_CREDENTIALS, status=self._failure_status)
        admitted = await self._admit(credentials, address, Patience(self._seconds, deadline))
        if admitted.reservation is None:
            raise ContractError(ErrorCode.OUT_OF_REQUESTS)
        admission = Admission(admitted.key, admitted.reservation, self._reservations, deadline)
        try:
            yield admission
        finally:
            await admission.close()

    async def _admit(self, credentials: Credentials, address: str, patience: Patience) -> Admitted:
        """Take one step for credentials that this process knows, else look them up first."""
        known = self._store.recall(credentials.api_key, credentials.api_secret)
        # Beyond its rate the key is looked up first: it may have been disabled.
        allowed = known is not None and self._store.allow(known.key) == 0
        if known is not None and allowed:
            with patience.spent() as until:
                admitted = await self._reservations.admit(known, until)
            if admitted is not None:
                return admitted
        key = await self._logins.authenticate(credentials, address, patience)
        if key is None:
            raise ContractError(ErrorCode.BAD_CREDENTIALS, status=self._failure_status)
        wait = 0.0 if allowed else self._store.allow(key)
        if wait > 0:
            raise ContractError(ErrorCode.OUT_OF_REQUESTS, status=429, retry_after=wait)
        with patience.spent() as until:
            return Admitted(key, await self._reservations.reserve(key, until))

    def close(self) -> None:
        """End the threads."""
        self._logins.close()
        self._reservations.close()
