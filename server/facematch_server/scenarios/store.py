"""A store that accepts scenarios as keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Self

from facematch_local.codes import ErrorCode
from facematch_server.access.key_store import KeyStore
from facematch_server.scenarios.key import PREFIX, Scenario, parse_scenario
from facematch_server.store.logins import KnownLogin, Login
from facematch_server.store.records import Admitted, ApiKey, KeySettings, Reservation

# No key of a database has this number.
_ID: Final = 0
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_TOO_FAST: Final = 429


@dataclass(frozen=True, slots=True)
class ScenarioKey(ApiKey):
    """An API key that is a scenario.

    Attributes:
        scenario: the fixed outcome.
    """

    scenario: Scenario = field(kw_only=True)

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """The key of a scenario."""
        settings = KeySettings("scenario", profile=scenario.profile)
        return cls(_ID, scenario.name, settings, disabled=False, created_at=_EPOCH, scenario=scenario)

    @property
    def log_name(self) -> str:
        """The same for all scenarios."""
        return "scenario"


class ScenarioStore:
    """Accepts scenarios with any secret, and the keys of another store."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    def look_up(self, api_key: str, api_secret: str, until: float | None = None) -> Login:
        """The scenario, else the key of the store."""
        if not api_key.startswith(PREFIX):
            return self._store.look_up(api_key, api_secret, until)
        scenario = parse_scenario(api_key)
        if scenario is None or scenario.error is ErrorCode.BAD_CREDENTIALS:
            return Login(None)
        return Login(ScenarioKey.of(scenario))

    def settle(self, login: Login) -> ApiKey | None:
        """The key of the store; a scenario needs no slow hash."""
        return self._store.settle(login)

    def allow(self, key: ApiKey) -> float:
        """Seconds to wait: 1 for `http-429`, 0 for other scenarios, else those of the store."""
        if isinstance(key, ScenarioKey):
            return 1.0 if key.scenario.status == _TOO_FAST else 0.0
        return self._store.allow(key)

    def recall(self, api_key: str, api_secret: str) -> KnownLogin | None:
        """A login of the store; no scenario is known before it is looked up."""
        return None if api_key.startswith(PREFIX) else self._store.recall(api_key, api_secret)

    def admit(self, known: KnownLogin, ttl_seconds: float, until: float | None = None) -> Admitted | None:
        """Admit a login of the store."""
        return self._store.admit(known, ttl_seconds, until)

    def reserve(self, key: ApiKey, ttl_seconds: float, until: float | None = None) -> Reservation | None:
        """A reservation that uses no quota; None for `error-4`."""
        if isinstance(key, ScenarioKey):
            if key.scenario.error is ErrorCode.OUT_OF_REQUESTS:
                return None
            return Reservation("", _ID, _EPOCH.date(), limited=False)
        return self._store.reserve(key, ttl_seconds, until)

    def commit(self, reservation: Reservation, until: float | None = None) -> bool:
        """Count a request of a key of the store."""
        return reservation.key_id == _ID or self._store.commit(reservation, until)

    def release(self, reservation: Reservation, until: float | None = None) -> None:
        """Give a reservation of the store back."""
        if reservation.key_id != _ID:
            self._store.release(reservation, until)

    def is_used(self, until: float | None = None) -> bool:
        """Whether the store has counted any request."""
        return self._store.is_used(until)

    def ping(self, until: float | None = None) -> None:
        """Raise `UnavailableError` unless the store works."""
        self._store.ping(until)
