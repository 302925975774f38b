"""Who may ask, and how often: Basic credentials, rate limit, quota. Store calls never run on the event loop."""

from __future__ import annotations

import asyncio
import base64
import binascii
import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from facematch_local.codes import ErrorCode
from facematch_server.access.fair_queue import FairQueue, Lane
from facematch_server.access.workers import Job, LateError, Workers
from facematch_server.errors import BUSY, ContractError, ServiceError
from facematch_server.logs import log_fault
from facematch_server.store import UnavailableError, Why
from facematch_server.store.hashing import CONCURRENT_SCRYPT
from facematch_server.wire import Profile

# A reservation outlives the longest request by this much before the store takes it back on its own.
RESERVATION_SLACK_SECONDS: Final = 30.0

# Looking keys up and counting have threads of their own, so that neither waits for slow hashing.
_LOOKING_UP: Final = 4
_COUNTING: Final = 4
# The store gives up by itself; what hangs in a driver is given up a little later.
_GRACE_SECONDS: Final = 0.25
# Logins of imported keys that wait for their hash (50 ms each), for each one at work: more are answered 503 at once, so
# that none waits for longer than half a second.
_HASHES_WAITING: Final = 8
_HASHES_WAITING_PER_LANE: Final = 4
# A refusal takes no less: looking up a key that exists takes some 30 us more than one that does not, which a client on
# the same network could tell by asking often. Longer than the look-up takes on a busy machine.
REFUSAL_SECONDS: Final = 0.02


class Key(Protocol):
    """What the service needs to know of an API key."""

    @property
    def id(self) -> Any: ...
    @property
    def api_key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def profile(self) -> str | None: ...


class KeyStore(Protocol):
    """What the service needs of the store of keys and quotas.

    All calls are thread-safe, and all but `allow` block. `until`, on the clock of `time.monotonic`, is when a call
    gives up; it raises `UnavailableError` then. `look_up` returns what has `key` (None: refused as yet) and `slow`
    (whether `settle`, which needs no database, has slow work to do before the answer is known).
    """

    def look_up(self, api_key: str, api_secret: str, until: float | None = None) -> Any: ...
    def settle(self, login: Any) -> Any: ...
    def allow(self, key: Any) -> float: ...
    def reserve(self, key: Any, ttl_seconds: float, until: float | None = None) -> Any: ...
    def commit(self, reservation: Any, until: float | None = None) -> bool: ...
    def release(self, reservation: Any, until: float | None = None) -> None: ...
    def ping(self, until: float | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """User and password of HTTP Basic auth; never printed."""

    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return "Credentials(…)"


def parse_basic(header: str | None) -> Credentials | None:
    """Parse an `Authorization` header; None unless it holds Basic credentials.

    Encoders that fold their lines leave blanks in it, and some leave the padding out.
    """
    scheme, _, encoded = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    letters = "".join(encoded.split()).rstrip("=")
    try:
        decoded = base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
        text = decoded.decode("utf-8")
    except (binascii.Error, UnicodeError, ValueError):
        return None
    api_key, colon, api_secret = text.partition(":")
    return Credentials(api_key, api_secret) if colon and api_key and api_secret else None


class Admission:
    """One admitted request: its key, and the place in the quota that it holds."""

    def __init__(self, key: Key, reservation: Any, counting: Counting, deadline: float) -> None:
        self.key = key
        self._reservation = reservation
        self._counting = counting
        self._deadline = deadline

    def profile(self, default: Profile) -> Profile:
        """The wire profile of the key, else the server's."""
        return Profile(self.key.profile) if self.key.profile else default

    async def commit(self) -> None:
        """Count the request against the quota; to be called before its reply is sent.

        Raises:
            ContractError: OUT_OF_REQUESTS: the reservation had expired and its place was given to another.
            UnavailableError: the database does not take it, or not in time.
        """
        reservation, self._reservation = self._reservation, None
        if not await self._counting.commit(reservation, self._deadline):
            raise ContractError(ErrorCode.OUT_OF_REQUESTS)

    async def close(self) -> None:
        """Give the place back unless it was committed; where that fails, it expires."""
        reservation, self._reservation = self._reservation, None
        if reservation is not None:
            await self._counting.release(reservation, self._deadline)


class Counting:
    """The store's counting, with threads of its own and bounded in time."""

    def __init__(self, store: KeyStore, ttl_seconds: float, database_seconds: float) -> None:
        """Take the store.

        Args:
            store: keys and quotas.
            ttl_seconds: how long a request can take at most; an older reservation is nobody's.
            database_seconds: how long a request waits for the database.
        """
        self._store = store
        self._ttl_seconds = ttl_seconds
        self._seconds = database_seconds
        self._workers = Workers("count", _COUNTING)

    async def reserve(self, key: Key, until: float) -> Any:
        """A place in the key's quota, None: there is none left."""
        call = self._workers.call
        with in_time():
            return await call(
                self._store.reserve,
                key,
                self._ttl_seconds,
                until,
                until=until + _GRACE_SECONDS,
                undo=lambda reservation: None if reservation is None else self._give_back(reservation, None),
            )

    async def commit(self, reservation: Any, deadline: float) -> bool:
        """Count the request."""
        until = min(time.monotonic() + self._seconds, deadline)
        with in_time():
            return await self._workers.call(self._store.commit, reservation, until, until=until + _GRACE_SECONDS)

    async def release(self, reservation: Any, deadline: float) -> None:
        """Give the place back. It takes no longer than the database is waited for, and never fails."""
        # Also a request that was given up at its deadline has a moment for this.
        until = min(time.monotonic() + self._seconds, max(deadline, time.monotonic() + _GRACE_SECONDS))
        # Whoever waits may be cancelled or give up; the job is done all the same.
        job = self._workers.submit(self._give_back, reservation, until)
        done, _ = await asyncio.wait(
            [asyncio.wrap_future(job.future)], timeout=until + _GRACE_SECONDS - time.monotonic()
        )
        for one in done:
            one.exception()  # only on the way down, when nothing is taken up any more

    def close(self) -> None:
        """End the threads."""
        self._workers.close()

    def _give_back(self, reservation: Any, until: float | None) -> None:
        try:
            self._store.release(reservation, until)
        except Exception as error:  # any driver's own
            log_fault("a reservation was not given back; it expires", error)


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
        """Take the store.

        Args:
            store: keys and quotas.
            ttl_seconds: how long a request can take at most; an older reservation is nobody's.
            failure_status: HTTP status that goes with BAD_CREDENTIALS.
            database_seconds: how long a request waits for the database until it is admitted, and again until it is
                counted.
            hashing: slow hashes at once.
        """
        self._store = store
        self._failure_status = failure_status
        self._seconds = database_seconds
        self._counting = Counting(store, ttl_seconds, database_seconds)
        self._lookups = Workers("login", _LOOKING_UP)
        queue: FairQueue[Job[Any]] = FairQueue(_HASHES_WAITING * hashing, _HASHES_WAITING_PER_LANE)
        self._hashes = Workers("hash", hashing, queue)
        self._hashing: dict[Credentials, asyncio.Future[Any]] = {}

    @asynccontextmanager
    async def admit(
        self, authorization: str | None, address: str = "", deadline: float = math.inf
    ) -> AsyncIterator[Admission]:
        """Check the credentials, the rate limit and the quota, in this order.

        The quota's place is given back on leaving unless it was committed.

        Args:
            authorization: the header.
            address: of the client; slow logins of one address wait for each other.
            deadline: when the request must be answered, on the clock of `time.monotonic`.

        Raises:
            ContractError: BAD_CREDENTIALS or OUT_OF_REQUESTS.
            ServiceError: 503: too many logins of imported keys at once.
            UnavailableError: the database does not work.
        """
        credentials = parse_basic(authorization)
        if credentials is None:
            raise ContractError(ErrorCode.BAD_CREDENTIALS, status=self._failure_status)
        earliest = time.monotonic() + REFUSAL_SECONDS
        patience = _Patience(self._seconds, deadline)
        key = await self._authenticate(credentials, address, patience)
        if key is None:
            await asyncio.sleep(max(earliest - time.monotonic(), 0.0))
            raise ContractError(ErrorCode.BAD_CREDENTIALS, status=self._failure_status)
        wait = self._store.allow(key)
        if wait > 0:
            raise ContractError(ErrorCode.OUT_OF_REQUESTS, status=429, retry_after=wait)
        with patience.spent() as until:
            reservation = await self._counting.reserve(key, until)
        if reservation is None:
            raise ContractError(ErrorCode.OUT_OF_REQUESTS)
        admission = Admission(key, reservation, self._counting, deadline)
        try:
            yield admission
        finally:
            await admission.close()

    def close(self) -> None:
        """End the threads."""
        for workers in (self._lookups, self._hashes, self._counting):
            workers.close()

    async def _authenticate(self, credentials: Credentials, address: str, patience: _Patience) -> Any:
        with patience.spent() as until, in_time():
            login = await self._lookups.call(
                self._store.look_up,
                credentials.api_key,
                credentials.api_secret,
                until,
                until=until + _GRACE_SECONDS,
            )
        return await self._hash(credentials, login, address, patience.deadline) if login.slow else login.key

    async def _hash(self, credentials: Credentials, login: Any, address: str, deadline: float) -> Any:
        """Slow hashing, once for equal credentials that come at once: a client that starts sends many."""
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

    def _hashed(self, credentials: Credentials, done: asyncio.Future[Any]) -> None:
        del self._hashing[credentials]
        done.cancelled() or done.exception()  # looked at, also where nobody waits any more


class _Patience:
    """What a request has left of the time that it may wait for the database before it is admitted."""

    def __init__(self, seconds: float, deadline: float) -> None:
        self.deadline = deadline
        # What is late for the second step has as much as this: it has been admitted by the first.
        self._least = seconds / 4
        self._left = seconds

    @contextmanager
    def spent(self) -> Iterator[float]:
        """Until when to wait; the time that passes is taken off."""
        begun = time.monotonic()
        try:
            yield min(begun + max(self._left, self._least), self.deadline)
        finally:
            self._left -= time.monotonic() - begun


@contextmanager
def in_time() -> Iterator[None]:
    """Say of what came too late that the database did not answer.

    Raises:
        UnavailableError: it did not.
    """
    try:
        yield
    except LateError:
        raise UnavailableError(str(Why.SLOW), Why.SLOW) from None
