"""Checking credentials: a fast part that uses the database, and a slow part that does not."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, exists, func, or_, select

from facematch_server.store.hashing import SLOW_PREFIX, Verifier
from facematch_server.store.records import ApiKey, usable_api_key, usable_api_secret
from facematch_server.store.sessions import Sessions
from facematch_server.store.steps import Step
from facematch_server.store.tables import KeyRow, key_of

# Logins that a process remembers; a forgotten one costs one more round trip.
_KNOWN: Final = 4096

# How long the answer holds whether any key has a slow hash. The question reads all keys: 15 ms for 100,000 of them. So
# long after the first import, a refusal of another key may be faster than one of the imported key.
_SLOW_KEYS_SECONDS: Final = 5.0


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


@dataclass(frozen=True, slots=True)
class KnownLogin:
    """Credentials that were right a while ago; never printed.

    Attributes:
        key: the key as it was then.
        proof: keyed digest of the credentials.
        stored: the stored hash that the secret matched. It holds as long as the database has it: a rotated secret has
            another one.
    """

    key: ApiKey
    proof: bytes = field(repr=False)
    stored: str = field(repr=False)


class Logins:
    """Checks secrets. Thread-safe."""

    def __init__(self, sessions: Sessions, clock: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._clock = clock
        self._verifier = Verifier()
        self._known = _KnownLogins()
        self._slow_keys = _SlowKeys()

    def look_up(self, api_key: str, api_secret: str, until: float | None) -> Login:
        """Find the key, and check secrets that need no slow hash: those of this service, and those checked before.

        On PostgreSQL a right secret takes one round trip; so does a refusal, but for one every few seconds. An unknown
        key costs the same work as a wrong secret: it is checked against the first key, and refused in any case.
        """
        self._sessions.reading.check()
        if not (usable_api_key(api_key) and usable_api_secret(api_secret)):
            api_key, api_secret = "", "-"
        now = self._clock()
        [found] = self._sessions.run([Step(_KEY, {"named": api_key})], until, writes=False)
        row = found.rows[0] if found.rows else None
        exists = row is not None and row.named_id is not None
        key = None if row is None else key_of(row)
        usable = None if key is None or not exists or key.disabled or key.expired(now) else key
        hashes = _valid_hashes(row, now)
        for stored in hashes:
            if self._verifier.verify_fast(api_secret, stored) and exists:
                self._known.remember(usable, api_secret, stored)
                return Login(usable)
        slow = tuple(stored for stored in hashes if stored.startswith(SLOW_PREFIX))
        if len(slow) == len(hashes):
            self._verifier.spend(api_secret, strong=True, weak=False)
        if not exists:
            slow = ()
        return Login(None, self._any_slow(until) or bool(slow), usable, api_secret, slow)

    def settle(self, login: Login) -> ApiKey | None:
        """Do the slow part. Every refusal does the same work."""
        if not login.slow:
            return login.key
        for stored in login.hashes:
            if self._verifier.verify(login.secret, stored):
                self._known.remember(login.candidate, login.secret, stored)
                return login.candidate
        if not login.hashes:
            self._verifier.spend(login.secret, strong=False, weak=True)
        return None

    def _any_slow(self, until: float | None) -> bool:
        """Whether any key has a slow hash: then every refusal takes the time of one."""
        known = self._slow_keys.recall()
        if known is None:
            [answer] = self._sessions.run([Step(_ANY_SLOW)], until, writes=False)
            known = bool(answer.rows[0][0])
            self._slow_keys.remember(known)
        return known

    def recall(self, api_key: str, api_secret: str) -> KnownLogin | None:
        """The login with a quota that was right before with these credentials."""
        return self._known.recall(api_key, api_secret)

    def confirm(self, known: KnownLogin, row: Any, now: datetime) -> ApiKey | None:
        """The key of a known login, as its row has it now; None if the credentials are no longer valid."""
        key = None if row is None else key_of(row)
        if (
            key is None
            or key.disabled
            or key.expired(now)
            or key.api_key != known.key.api_key
            or known.stored not in _valid_hashes(row, now)
        ):
            self._known.forget(known)
            return None
        if key != known.key:
            self._known.replace(known, key)
        return key


class _KnownLogins:
    """The latest right logins of keys with a quota. Thread-safe.

    It holds no secret: credentials are found by a keyed digest, with a key that lives as long as the process.
    """

    def __init__(self) -> None:
        self._digest_key = secrets.token_bytes(32)
        self._logins: OrderedDict[bytes, KnownLogin] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, api_key: str, api_secret: str) -> KnownLogin | None:
        if not (usable_api_key(api_key) and usable_api_secret(api_secret)):
            return None
        proof = self._proof(api_key, api_secret)
        with self._lock:
            known = self._logins.get(proof)
            if known is not None:
                self._logins.move_to_end(proof)
            return known

    def remember(self, key: ApiKey | None, api_secret: str, stored: str) -> None:
        # Without a quota there is nothing to reserve, so the look-up is the only round trip already.
        if key is not None and key.quota is not None:
            self._put(KnownLogin(key, self._proof(key.api_key, api_secret), stored))

    def replace(self, known: KnownLogin, key: ApiKey) -> None:
        if key.quota is None:
            self.forget(known)
        else:
            self._put(KnownLogin(key, known.proof, known.stored))

    def forget(self, known: KnownLogin) -> None:
        with self._lock:
            self._logins.pop(known.proof, None)

    def _put(self, known: KnownLogin) -> None:
        with self._lock:
            self._logins[known.proof] = known
            self._logins.move_to_end(known.proof)
            while len(self._logins) > _KNOWN:
                self._logins.popitem(last=False)

    def _proof(self, api_key: str, api_secret: str) -> bytes:
        return hmac.digest(self._digest_key, f"{api_key}\0{api_secret}".encode(), "sha256")


class _SlowKeys:
    """Whether any key has a slow hash, as it was a moment ago. Thread-safe."""

    def __init__(self) -> None:
        self._answer: tuple[bool, float] | None = None

    def recall(self) -> bool | None:
        """The answer; None if it is unknown or too old."""
        if self._answer is None:
            return None
        answer, since = self._answer
        return answer if time.monotonic() < since + _SLOW_KEYS_SECONDS else None

    def remember(self, answer: bool) -> None:
        self._answer = (answer, time.monotonic())


_COLUMNS: Final[Any] = KeyRow.__table__
_NAMED: Final = select(_COLUMNS.c.id).where(_COLUMNS.c.api_key == bindparam("named")).scalar_subquery()
_FIRST: Final = select(func.min(_COLUMNS.c.id)).scalar_subquery()
# The row of the key; of the first key, with `named_id` NULL, if there is no such key.
_KEY: Final = select(_COLUMNS, _NAMED.label("named_id")).where(_COLUMNS.c.id == func.coalesce(_NAMED, _FIRST))
_ANY_SLOW: Final = select(
    exists().where(
        or_(_COLUMNS.c.secret_hash.startswith(SLOW_PREFIX), _COLUMNS.c.previous_secret_hash.startswith(SLOW_PREFIX))
    )
)


def _valid_hashes(row: Any, now: datetime) -> list[str]:
    if row is None:
        return []
    hashes = [row.secret_hash]
    if row.previous_secret_hash and row.previous_secret_until and row.previous_secret_until > now:
        hashes.append(row.previous_secret_hash)
    return hashes
