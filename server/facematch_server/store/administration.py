"""Administration of keys: create, import, rotate and disable them, set quotas, read usage and the audit trail."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from facematch_server.store import counting
from facematch_server.store.errors import InvalidKeyError, KeyExistsError, UnknownKeyError
from facematch_server.store.hashing import hash_strong, hash_weak, new_secret
from facematch_server.store.models import AuditRow, KeyRow, key_of
from facematch_server.store.records import ApiKey, AuditEntry, KeyPair, KeySettings, NewKey, Period, Usage
from facematch_server.store.sessions import Sessions

# PostgreSQL's advisory lock for the first key; no other lock of this database has this number.
_FIRST_KEY_LOCK: Final = 0x66616366
_API_KEY_BYTES: Final = 16


class KeyAdministration:
    """Changes keys and records each change in the audit trail. Thread-safe.

    Every method may raise `UnavailableError` when the database cannot be reached or stays locked; methods that take an
    `api_key` raise `UnknownKeyError` when no key has it.
    """

    def __init__(self, sessions: Sessions, actor: str, clock: Callable[[], datetime]) -> None:
        """See `Store.open`.

        Args:
            sessions: the database.
            actor: who changes keys, for the audit trail.
            clock: the present moment, aware.
        """
        self._sessions = sessions
        self._actor = actor
        self._clock = clock

    def create_key(self, settings: KeySettings | None = None) -> NewKey:
        """Create a key with a fresh secret. The secret is stored hashed and cannot be read later."""
        with self._sessions.write(durable=True) as session:
            return self._create(session, settings or KeySettings())

    def create_first_key(self, name: str = "first key") -> NewKey | None:
        """Create a key if the database has none; None if it has.

        Of several processes that start at once, exactly one creates the key.
        """
        with self._sessions.write(durable=True) as session:
            if not self._sessions.is_sqlite:
                session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _FIRST_KEY_LOCK})
            if session.scalar(select(KeyRow.id).limit(1)) is not None:
                return None
            return self._create(session, KeySettings(name))

    def import_keys(self, pairs: Sequence[KeyPair]) -> list[ApiKey]:
        """Accept pairs that clients use elsewhere: all of them or none.

        Raises:
            KeyExistsError: an api_key exists, or occurs twice in `pairs`; the message names all of them.
        """
        # Hashing is slow on purpose; do it before taking the write lock.
        hashes = [hash_weak(pair.api_secret) for pair in pairs]
        names = [pair.api_key for pair in pairs]
        twice = {name for name, count in Counter(names).items() if count > 1}
        with self._sessions.write(durable=True) as session:
            taken = twice | {row.api_key for row in self._rows(session, names)}
            if taken:
                raise KeyExistsError(f"a key with this api_key exists: {', '.join(sorted(taken))}")
            return [
                self._add(session, "import", pair.api_key, stored, pair.settings)
                for pair, stored in zip(pairs, hashes, strict=True)
            ]

    def taken(self, api_keys: Sequence[str]) -> set[str]:
        """The `api_keys` that exist."""
        with self._sessions.read() as session:
            return {row.api_key for row in self._rows(session, api_keys)}

    def list_keys(self) -> list[ApiKey]:
        """All keys, oldest first."""
        with self._sessions.read() as session:
            return [key_of(row) for row in session.scalars(select(KeyRow).order_by(KeyRow.id))]

    def rotate_key(self, api_key: str, *, grace: timedelta = timedelta()) -> NewKey:
        """Give a key a new secret.

        Args:
            api_key: the key.
            grace: how long the old secret is accepted beside the new one. A secret that is in its own grace period
                already ends at once.

        Raises:
            InvalidKeyError: `grace` is negative.
        """
        if grace < timedelta():
            raise InvalidKeyError("the grace period is negative")
        secret = new_secret()
        now = self._clock()
        with self._sessions.write(durable=True) as session:
            row = _find(session, api_key, lock=True)
            row.previous_secret_hash = row.secret_hash if grace else None
            row.previous_secret_until = now + grace if grace else None
            row.secret_hash = hash_strong(secret)
            until = row.previous_secret_until
            self._audit(session, "rotate", api_key, {"previous_secret_until": _iso(until)})
            return NewKey(key_of(row), secret)

    def disable_key(self, api_key: str) -> ApiKey:
        """Refuse a key from now on."""
        with self._sessions.write(durable=True) as session:
            row = _find(session, api_key, lock=True)
            if row.disabled_at is None:
                row.disabled_at = self._clock()
                self._audit(session, "disable", api_key, {})
            return key_of(row)

    def enable_key(self, api_key: str) -> ApiKey:
        """Accept a disabled key again."""
        with self._sessions.write(durable=True) as session:
            row = _find(session, api_key, lock=True)
            if row.disabled_at is not None:
                row.disabled_at = None
                self._audit(session, "enable", api_key, {})
            return key_of(row)

    def set_quota(self, api_key: str, quota: int | None, period: Period = Period.TOTAL) -> ApiKey:
        """Change a key's quota; earlier requests of the period count against the new quota.

        Raises:
            InvalidKeyError: the quota is out of range.
        """
        with self._sessions.write(durable=True) as session:
            row = _find(session, api_key, lock=True)
            settings = replace(key_of(row).settings, quota=quota, period=period)
            row.quota, row.period = settings.quota, settings.period.value
            self._audit(session, "set_quota", api_key, {"quota": row.quota, "period": row.period})
            return key_of(row)

    def usage(self, api_key: str) -> Usage:
        """The requests that a key has used."""
        now = self._clock()
        with self._sessions.read() as session:
            key = key_of(_find(session, api_key))
            today, _ = counting.used(session, key.id, Period.DAY, now)
            month, _ = counting.used(session, key.id, Period.MONTH, now)
            total, _ = counting.used(session, key.id, Period.TOTAL, now)
            committed, reserved = counting.used(session, key.id, key.period, now)
        limited = key.quota is not None
        return Usage(
            key=key,
            today=today,
            month=month,
            total=total,
            reserved=reserved,
            remaining=max(key.quota - committed - reserved, 0) if key.quota is not None else None,
            resets_at=counting.period_end(key.period, now.date()) if limited else None,
        )

    def audit(self, api_key: str | None = None, *, limit: int = 1000) -> list[AuditEntry]:
        """The latest `limit` changes of one key or of all, oldest first."""
        statement = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if api_key is not None:
            statement = statement.where(AuditRow.api_key == api_key)
        with self._sessions.read() as session:
            rows = list(session.scalars(statement))
        return [AuditEntry(r.id, r.at, r.actor, r.action, r.api_key, dict(r.details)) for r in reversed(rows)]

    def _create(self, session: Session, settings: KeySettings) -> NewKey:
        secret = new_secret()
        key = self._add(session, "create", secrets.token_hex(_API_KEY_BYTES), hash_strong(secret), settings)
        return NewKey(key, secret)

    def _add(self, session: Session, action: str, api_key: str, stored: str, settings: KeySettings) -> ApiKey:
        row = KeyRow(
            api_key=api_key,
            name=settings.name,
            secret_hash=stored,
            profile=None if settings.profile is None else settings.profile.value,
            quota=settings.quota,
            period=settings.period.value,
            rate_limit=settings.rate_limit,
            expires_at=settings.expires_at,
            created_at=self._clock(),
        )
        session.add(row)
        self._audit(
            session,
            action,
            api_key,
            {
                "name": settings.name,
                "quota": settings.quota,
                "period": settings.period.value,
                "profile": row.profile,
                "rate_limit": settings.rate_limit,
                "expires_at": _iso(settings.expires_at),
            },
        )
        try:
            session.flush()
        except IntegrityError:
            raise KeyExistsError(f"a key with this api_key exists: {api_key}") from None
        return key_of(row)

    def _audit(self, session: Session, action: str, api_key: str, details: dict[str, str | int | None]) -> None:
        session.add(AuditRow(at=self._clock(), actor=self._actor, action=action, api_key=api_key, details=details))

    def _rows(self, session: Session, api_keys: Sequence[str]) -> Iterator[KeyRow]:
        # In batches: SQLite and PostgreSQL limit the number of parameters of a statement.
        for start in range(0, len(api_keys), 500):
            yield from session.scalars(select(KeyRow).where(KeyRow.api_key.in_(api_keys[start : start + 500])))


def _find(session: Session, api_key: str, *, lock: bool = False) -> KeyRow:
    statement = select(KeyRow).where(KeyRow.api_key == api_key)
    row = session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if row is None:
        raise UnknownKeyError(f"no key has the api_key {api_key}; `facematch keys list` prints all keys")
    return row


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
