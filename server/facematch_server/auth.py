"""Who may ask, and how often: Basic credentials, rate limit, quota. Store calls never run on the event loop."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import anyio
import anyio.to_thread

from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError
from facematch_server.wire import Profile

_T = TypeVar("_T")

# A reservation outlives the longest request by this much before the store takes it back on its own.
RESERVATION_SLACK_SECONDS: Final = 30.0
_STORE_THREADS: Final = 8
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
    """What the service needs of the store of keys and quotas; all calls block and are thread-safe."""

    def authenticate(self, api_key: str, api_secret: str) -> Any: ...
    def allow(self, key: Any) -> float: ...
    def reserve(self, key: Any, ttl_seconds: float) -> Any: ...
    def commit(self, reservation: Any) -> bool: ...
    def release(self, reservation: Any) -> None: ...
    def ping(self) -> None: ...


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

    def __init__(self, key: Key, reservation: Any, store: KeyStore, limiter: anyio.CapacityLimiter) -> None:
        self.key = key
        self._reservation = reservation
        self._store = store
        self._limiter = limiter

    def profile(self, default: Profile) -> Profile:
        """The wire profile of the key, else the server's."""
        return Profile(self.key.profile) if self.key.profile else default

    async def commit(self) -> None:
        """Count the request against the quota; to be called before its reply is sent.

        Raises:
            ContractError: OUT_OF_REQUESTS: the reservation had expired and its place was given to another.
        """
        reservation, self._reservation = self._reservation, None
        if not await _off_loop(self._store.commit, reservation, limiter=self._limiter):
            raise ContractError(ErrorCode.OUT_OF_REQUESTS)

    async def close(self) -> None:
        """Give the place back unless it was committed."""
        reservation, self._reservation = self._reservation, None
        if reservation is not None:
            await _off_loop(self._store.release, reservation, limiter=self._limiter)


class Gatekeeper:
    """Admits requests."""

    def __init__(self, store: KeyStore, ttl_seconds: float, failure_status: int = 200) -> None:
        """Take the store.

        Args:
            store: keys and quotas.
            ttl_seconds: how long a request can take at most; an older reservation is nobody's.
            failure_status: HTTP status that goes with BAD_CREDENTIALS.
        """
        self._store = store
        self._ttl_seconds = ttl_seconds
        self._failure_status = failure_status
        self._limiter = anyio.CapacityLimiter(_STORE_THREADS)

    @asynccontextmanager
    async def admit(self, authorization: str | None) -> AsyncIterator[Admission]:
        """Check the credentials, the rate limit and the quota, in this order.

        The quota's place is given back on leaving unless it was committed.

        Raises:
            ContractError: BAD_CREDENTIALS or OUT_OF_REQUESTS.
        """
        credentials = parse_basic(authorization)
        if credentials is None:
            raise ContractError(ErrorCode.BAD_CREDENTIALS, status=self._failure_status)
        earliest = time.monotonic() + REFUSAL_SECONDS
        try:
            admission = await _off_loop(self._admit, credentials, limiter=self._limiter)
        except ContractError as error:
            if error.code is ErrorCode.BAD_CREDENTIALS:
                await anyio.sleep(max(earliest - time.monotonic(), 0.0))
            raise
        try:
            yield admission
        finally:
            await admission.close()

    def _admit(self, credentials: Credentials) -> Admission:
        key = self._store.authenticate(credentials.api_key, credentials.api_secret)
        if key is None:
            raise ContractError(ErrorCode.BAD_CREDENTIALS, status=self._failure_status)
        wait = self._store.allow(key)
        if wait > 0:
            raise ContractError(ErrorCode.OUT_OF_REQUESTS, status=429, retry_after=wait)
        reservation = self._store.reserve(key, self._ttl_seconds)
        if reservation is None:
            raise ContractError(ErrorCode.OUT_OF_REQUESTS)
        return Admission(key, reservation, self._store, self._limiter)


async def _off_loop(function: Callable[..., _T], *arguments: Any, limiter: anyio.CapacityLimiter) -> _T:
    return await anyio.to_thread.run_sync(function, *arguments, limiter=limiter)
