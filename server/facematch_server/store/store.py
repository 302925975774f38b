"""The store: keys, quota, rate limits and the audit trail over one database."""

from __future__ import annotations

import getpass
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from facematch_server.store import counting
from facematch_server.store.engine import is_sqlite, open_engine, remember_database
from facematch_server.store.errors import InvalidKeyError, KeyExistsError, UnknownKeyError
from facematch_server.store.hashing import hash_strong, hash_weak, new_secret
from facematch_server.store.logins import Login, Logins
from facematch_server.store.models import AuditRow, KeyRow, key_of
from facematch_server.store.rate import RateLimiter
from facematch_server.store.records import (
    ApiKey,
    AuditEntry,
    KeyPair,
    KeySettings,
    NewKey,
    Period,
    Profile,
    Reservation,
    Usage,
)
from facematch_server.store.schema import require_current, upgrade_engine
from facematch_server.store.sessions import Sessions

# Any number nobody else in this database takes: PostgreSQL's advisory lock around "is there a key yet?".
_FIRST_KEY_LOCK: Final = 0x66616366
_API_KEY_BYTES: Final = 16


class Store:
    """Everything the service remembers. Thread-safe; each process opens its own.

    Every method may raise `UnavailableError` when the database cannot be reached or stays locked; those
    that name a key raise `UnknownKeyError` when there is none. Methods on the way of a request take `until`, on the
    clock of `time.monotonic`: they give up waiting for the database then, and at once where it failed a moment ago.
    """

    def __init__(
        self, engine: Engine, *, actor: str | None = None, clock: Callable[[], datetime] | None = None
    ) -> None:
        """Take an engine whose schema is up to date; `open` is the usual way.

        Args:
            engine: from `open_engine`.
            actor: who changes keys, for the audit trail; default the operating system's user.
            clock: the present moment, aware.
        """
        self._engine = engine
        self._sessions = Sessions(engine)
        self._actor = actor or _current_user()
        self._clock = clock or _now
        self._logins = Logins(self._sessions, self._clock)
        self._rates = RateLimiter()

    @classmethod
    def open(
        cls,
        database_url: str,
        *,
        actor: str | None = None,
        clock: Callable[[], datetime] | None = None,
        create: bool = True,
    ) -> Store:
        """Open a database; on SQLite its schema is created or upgraded first.

        Args:
            database_url: `sqlite:///path` or `postgresql://user:password@host/name`.
            actor: who changes keys, for the audit trail; default the operating system's user.
            clock: the present moment, aware; only tests need another than the real one.
            create: make an SQLite file that does not exist.

        Raises:
            UnavailableError: the database cannot be reached, the URL is wrong, or there is no file and none is made.
            SchemaError: the schema is missing or outdated (PostgreSQL) or made by a newer version.
        """
        engine = open_engine(database_url, create=create)
        try:
            if is_sqlite(engine):
                upgrade_engine(engine)
                remember_database(engine)
            else:
                require_current(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, actor=actor, clock=clock)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def ping(self, until: float | None = None) -> None:
        """Raise `UnavailableError` unless a request could be admitted now: the database takes and gives data."""
        with self._sessions.read(until):
            pass
        with self._sessions.write(until) as session:
            counting.rehearse(session, self._clock())

    # -- on the way of every request ---------------------------------------------------------------

    def look_up(self, api_key: str, api_secret: str, until: float | None = None) -> Login:
        """Find the key and check the secret as far as that is fast; what is left is for `settle`."""
        return self._logins.look_up(api_key, api_secret, until)

    def settle(self, login: Login) -> ApiKey | None:
        """Check the secret of an imported key, which is slow on purpose; needs no database.

        Returns:
            The key, if the secret is right and the key neither disabled nor expired.
        """
        return self._logins.settle(login)

    def authenticate(self, api_key: str, api_secret: str) -> ApiKey | None:
        """`look_up` and `settle`: the key, if the secret is right and the key neither disabled nor expired.

        Every refusal costs the same work, whether the key is unknown, the secret wrong or neither.
        """
        return self.settle(self.look_up(api_key, api_secret))

    def allow(self, key: ApiKey) -> float:
        """Take one request out of the key's rate limit: 0.0, or the seconds to wait (none was taken).

        Counted in this process only; see `rate.RateLimiter`.
        """
        return self._rates.allow(key.id, key.rate_limit)

    def reserve(self, key: ApiKey, ttl_seconds: float, until: float | None = None) -> Reservation | None:
        """Take one request out of the key's quota, None if nothing is left of it.

        Args:
            key: from `authenticate`.
            ttl_seconds: after this time the reservation counts as given back. Longer than a request may
                take, so that only a dead process's reservations expire. At most an hour.
            until: see above.
        """
        now = self._clock()
        self._sessions.writing.check()
        if key.quota is None:
            return counting.unlimited(key.id, now)
        with self._sessions.write(until) as session:
            return counting.reserve(session, key.id, now, timedelta(seconds=ttl_seconds))

    def commit(self, reservation: Reservation, until: float | None = None) -> bool:
        """Count a reserved request; committing twice counts once.

        Tried also where the database failed a moment ago: the work is done already.

        Returns:
            Whether this call counted it. False if it was settled before, or if it had expired and its place
            was given back meanwhile: counting it then could exceed the quota. One that expired and was
            not given back yet is counted.
        """
        if not reservation._unsettled.acquire(blocking=False):
            return False
        try:
            with self._sessions.write(until) as session:
                if reservation.limited and not counting.take(session, reservation):
                    return False
                counting.count(session, reservation)
                return True
        except BaseException:
            reservation._unsettled.release()
            raise

    def release(self, reservation: Reservation, until: float | None = None) -> None:
        """Give a reserved request back uncounted; does nothing if it was settled before."""
        if not reservation._unsettled.acquire(blocking=False):
            return
        if not reservation.limited:
            return
        try:
            self._sessions.writing.check()
            with self._sessions.write(until) as session:
                counting.take(session, reservation)
        except BaseException:
            reservation._unsettled.release()
            raise

    # -- keys --------------------------------------------------------------------------------------

    def has_keys(self) -> bool:
        """Whether there is any key, disabled ones included."""
        with self._sessions.read() as session:
            return session.scalar(select(KeyRow.id).limit(1)) is not None

    def create_key(
        self,
        name: str = "",
        *,
        quota: int | None = None,
        period: Period | str = Period.TOTAL,
        profile: Profile | None = None,
        rate_limit: int | None = None,
        expires_at: datetime | None = None,
    ) -> NewKey:
        """Create a key with a fresh secret, which cannot be read again later.

        Raises:
            InvalidKeyError: a value that a key cannot have.
        """
        settings = KeySettings(name, quota, _period(period), profile, rate_limit, expires_at)
        with self._sessions.write(durable=True) as session:
            return self._create(session, settings)

    def create_first_key(self, name: str = "first key") -> NewKey | None:
        """Create a key if there is none at all; of several processes that start at once one gets it."""
        with self._sessions.write(durable=True) as session:
            if not is_sqlite(self._engine):
                session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _FIRST_KEY_LOCK})
            if session.scalar(select(KeyRow.id).limit(1)) is not None:
                return None
            return self._create(session, KeySettings(name))

    def import_key(
        self,
        api_key: str,
        api_secret: str,
        *,
        name: str = "",
        quota: int | None = None,
        period: Period | str = Period.TOTAL,
        profile: Profile | None = None,
        rate_limit: int | None = None,
        expires_at: datetime | None = None,
    ) -> ApiKey:
        """Accept a pair that a client already uses elsewhere.

        Raises:
            InvalidKeyError: a value that a key cannot have.
            KeyExistsError: the api_key is taken.
        """
        settings = KeySettings(name, quota, _period(period), profile, rate_limit, expires_at)
        return self.import_keys([KeyPair(api_key, api_secret, settings)])[0]

    def import_keys(self, pairs: Sequence[KeyPair]) -> list[ApiKey]:
        """Accept several pairs, all or none.

        Raises:
            KeyExistsError: an api_key is taken, or there twice; the message names all of them.
        """
        # Slow on purpose, so it happens before the write lock is taken.
        hashes = [hash_weak(pair.api_secret) for pair in pairs]
        names = [pair.api_key for pair in pairs]
        twice = {name for name, count in Counter(names).items() if count > 1}
        with self._sessions.write(durable=True) as session:
            taken = twice | {row.api_key for row in self._rows(session, names)}
            if taken:
                raise KeyExistsError(f"there is a key already with api_key {', '.join(sorted(taken))}")
            return [
                self._add(session, "import", pair.api_key, stored, pair.settings)
                for pair, stored in zip(pairs, hashes, strict=True)
            ]

    def taken(self, api_keys: Sequence[str]) -> set[str]:
        """Those of `api_keys` that exist."""
        with self._sessions.read() as session:
            return {row.api_key for row in self._rows(session, api_keys)}

    def list_keys(self) -> list[ApiKey]:
        """All keys, oldest first."""
        with self._sessions.read() as session:
            return [key_of(row) for row in session.scalars(select(KeyRow).order_by(KeyRow.id))]

    def get_key(self, api_key: str) -> ApiKey:
        """One key."""
        with self._sessions.read() as session:
            return key_of(_find(session, api_key))

    def rotate_key(self, api_key: str, *, grace: timedelta = timedelta()) -> NewKey:
        """Give a key a new secret.

        Args:
            api_key: which key.
            grace: how long the secret it had until now is accepted too. A secret that was in its own
                grace period ends at once.

        Raises:
            InvalidKeyError: a negative grace period.
        """
        if grace < timedelta():
            raise InvalidKeyError("a grace period is not negative")
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

    def set_quota(self, api_key: str, quota: int | None, period: Period | str = Period.TOTAL) -> ApiKey:
        """Change a key's quota; what is used already counts against the new one.

        Raises:
            InvalidKeyError: a value that a key cannot have.
        """
        with self._sessions.write(durable=True) as session:
            row = _find(session, api_key, lock=True)
            settings = replace(key_of(row).settings, quota=quota, period=_period(period))
            row.quota, row.period = settings.quota, settings.period.value
            self._audit(session, "set_quota", api_key, {"quota": row.quota, "period": row.period})
            return key_of(row)

    def usage(self, api_key: str) -> Usage:
        """How much of a key is used."""
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
        """The latest changes, oldest first; of one key or of all."""
        statement = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if api_key is not None:
            statement = statement.where(AuditRow.api_key == api_key)
        with self._sessions.read() as session:
            rows = list(session.scalars(statement))
        return [AuditEntry(r.id, r.at, r.actor, r.action, r.api_key, dict(r.details)) for r in reversed(rows)]

    # -- inside ------------------------------------------------------------------------------------

    def _create(self, session: Session, settings: KeySettings) -> NewKey:
        secret = new_secret()
        key = self._add(session, "create", secrets.token_hex(_API_KEY_BYTES), hash_strong(secret), settings)
        return NewKey(key, secret)

    def _add(self, session: Session, action: str, api_key: str, stored: str, settings: KeySettings) -> ApiKey:
        row = KeyRow(
            api_key=api_key,
            name=settings.name,
            secret_hash=stored,
            profile=settings.profile,
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
                "profile": settings.profile,
                "rate_limit": settings.rate_limit,
                "expires_at": _iso(settings.expires_at),
            },
        )
        try:
            session.flush()
        except IntegrityError:
            raise KeyExistsError(f"there is a key already with api_key {api_key}") from None
        return key_of(row)

    def _audit(self, session: Session, action: str, api_key: str, details: dict[str, str | int | None]) -> None:
        session.add(AuditRow(at=self._clock(), actor=self._actor, action=action, api_key=api_key, details=details))

    def _rows(self, session: Session, api_keys: Sequence[str]) -> Iterator[KeyRow]:
        # In portions: SQLite and PostgreSQL bound the number of parameters of a statement.
        for start in range(0, len(api_keys), 500):
            yield from session.scalars(select(KeyRow).where(KeyRow.api_key.in_(api_keys[start : start + 500])))


def _find(session: Session, api_key: str, *, lock: bool = False) -> KeyRow:
    statement = select(KeyRow).where(KeyRow.api_key == api_key)
    row = session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if row is None:
        raise UnknownKeyError(f"there is no key with api_key {api_key}")
    return row


def _period(period: Period | str) -> Period:
    try:
        return Period(period)
    except ValueError:
        raise InvalidKeyError(f"a period is one of {', '.join(Period)}") from None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _now() -> datetime:
    return datetime.now(UTC)


def _current_user() -> str:
    # From the user id: getpass.getuser() believes the environment before it.
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except ImportError:  # Windows
        return getpass.getuser()
    except KeyError:  # a container's user id without a name
        return f"uid {os.getuid()}"
