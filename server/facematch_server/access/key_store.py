"""The part of the store of keys and quotas that requests use."""

from __future__ import annotations

from typing import Protocol

from facematch_server.store.logins import Login
from facematch_server.store.records import ApiKey, Reservation


class KeyStore(Protocol):
    """Keys and quotas. `Store` is one; scenarios and tests have others.

    All calls are thread-safe. All calls but `allow` block until `until`, on the clock of `time.monotonic`, at most, and
    then raise `UnavailableError`. See `Store` for each method.
    """

    def look_up(self, api_key: str, api_secret: str, until: float | None = None) -> Login: ...
    def settle(self, login: Login) -> ApiKey | None: ...
    def allow(self, key: ApiKey) -> float: ...
    def reserve(self, key: ApiKey, ttl_seconds: float, until: float | None = None) -> Reservation | None: ...
    def commit(self, reservation: Reservation, until: float | None = None) -> bool: ...
    def release(self, reservation: Reservation, until: float | None = None) -> None: ...
    def ping(self, until: float | None = None) -> None: ...
