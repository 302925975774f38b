"""Checking credentials: a fast part that uses the database, and a slow part that does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, or_, select

from facematch_server.store.hashing import SLOW_PREFIX, Verifier
from facematch_server.store.models import KeyRow, key_of
from facematch_server.store.records import ApiKey, usable_api_key, usable_api_secret
from facematch_server.store.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials that were looked up; never printed.

    Attributes:
        key: the key, if the secret is right and the key is neither disabled nor expired.
        slow: whether slow hashing must follow, to decide, or to take as long as a decision does.
        candidate: the key whose secret must still be checked.
        secret: the secret of the request.
        hashes: slow hashes of the right secrets.
    """

    key: ApiKey | None
    slow: bool = False
    candidate: ApiKey | None = None
    secret: str = ""
    hashes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Login(…)"


class Logins:
    """Checks secrets. Thread-safe."""

    def __init__(self, sessions: Sessions, clock: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._clock = clock
        self._verifier = Verifier()

    def look_up(self, api_key: str, api_secret: str, until: float | None) -> Login:
        """Find the key, and check secrets that need no slow hash: those of this service, and those checked before."""
        self._sessions.reading.check()
        if not (usable_api_key(api_key) and usable_api_secret(api_secret)):
            api_key, api_secret = "", "-"
        now = self._clock()
        with self._sessions.read(until) as session:
            row = session.scalar(select(KeyRow).where(KeyRow.api_key == api_key))
            key = None if row is None else key_of(row)
            usable = None if key is None or key.disabled or key.expired(now) else key
            hashes = _valid_hashes(row, now)
            if any(self._verifier.verify_fast(api_secret, stored) for stored in hashes):
                return Login(usable)
            slow = tuple(stored for stored in hashes if stored.startswith(SLOW_PREFIX))
            any_slow = bool(session.scalar(select(_SLOW_HASHES)))
        if len(slow) == len(hashes):
            self._verifier.spend(api_secret, strong=True, weak=False)
        return Login(None, any_slow, usable, api_secret, slow)

    def settle(self, login: Login) -> ApiKey | None:
        """Do the slow part. Every refusal does the same work."""
        if not login.slow:
            return login.key
        if any(self._verifier.verify(login.secret, stored) for stored in login.hashes):
            return login.candidate
        if not login.hashes:
            self._verifier.spend(login.secret, strong=False, weak=True)
        return None


_SLOW_HASHES = exists().where(
    or_(KeyRow.secret_hash.startswith(SLOW_PREFIX), KeyRow.previous_secret_hash.startswith(SLOW_PREFIX))
)


def _valid_hashes(row: KeyRow | None, now: datetime) -> list[str]:
    if row is None:
        return []
    hashes = [row.secret_hash]
    if row.previous_secret_hash and row.previous_secret_until and row.previous_secret_until > now:
        hashes.append(row.previous_secret_hash)
    return hashes
