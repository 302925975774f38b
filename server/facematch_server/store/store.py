"""The store: keys, quotas, rate limits and the audit trail in one database."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from facematch_server.store import counting
from facematch_server.store.administration import KeyAdministration
from facematch_server.store.engine import CONNECTIONS, is_sqlite, open_engine, remember_database
from facematch_server.store.logins import KnownLogin, Login, Logins
from facematch_server.store.rate import RateLimiter
from facematch_server.store.records import Admitted, ApiKey, Reservation
from facematch_server.store.schema import require_current, upgrade_engine
from facematch_server.store.sessions import Sessions


class Store(KeyAdministration):
    """Admits and counts requests; `KeyAdministration` changes the keys. Thread-safe; each process opens its own.

    Methods that requests use take `until`, on the clock of `time.monotonic`: they stop waiting for the database then.
    If the database failed a moment ago, they fail at once. Every method may raise `UnavailableError`.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        actor: str | None = None,
        clock: Callable[[], datetime] | None = None,
        rates: RateLimiter | None = None,
    ) -> None:
        """Use an engine whose schema is up to date; `open` is the usual way.

        Args:
            engine: from `open_engine`.
            actor: who changes keys, for the audit trail; default the operating system's user.
            clock: the present moment, aware.
            rates: counts requests per minute; default in this process.
        """
        super().__init__(Sessions(engine), actor or _current_user(), clock or _now)
        self._engine = engine
        self._logins = Logins(self._sessions, self._clock)
        self._rates = rates or RateLimiter()

    @classmethod
    def open(
        cls,
        database_url: str,
        *,
        actor: str | None = None,
        clock: Callable[[], datetime] | None = None,
        create: bool = True,
        connections: int = CONNECTIONS,
        rates: RateLimiter | None = None,
    ) -> Store:
        """Open a database. An SQLite schema is created or upgraded first.

        Args:
            database_url: `sqlite:///path` or `postgresql://user:password@host/name`.
            actor: who changes keys, for the audit trail; default the operating system's user.
            clock: the present moment, aware; for tests.
            create: create an SQLite file that does not exist.
            connections: largest number of connections to PostgreSQL; further threads wait for one.
            rates: counts requests per minute; default in this process.

        Raises:
            UnavailableError: the database cannot be reached, the URL is wrong, or the file is missing and not to be
                created.
            SchemaError: the schema is missing or outdated (PostgreSQL), or belongs to a newer version.
        """
        engine = open_engine(database_url, create=create, connections=connections)
        try:
            if is_sqlite(engine):
                upgrade_engine(engine)
                remember_database(engine)
            else:
                require_current(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, actor=actor, clock=clock, rates=rates)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def ping(self, until: float | None = None) -> None:
        """Raise `UnavailableError` unless the database reads and writes, so that a request could be admitted now."""
        with self._sessions.read(until):
            pass
        with self._sessions.write(until) as session:
            counting.rehearse(session, self._clock())

    def is_used(self, until: float | None = None) -> bool:
        """Whether any request was ever counted."""
        with self._sessions.read(until) as session:
            return counting.is_used(session)

    def look_up(self, api_key: str, api_secret: str, until: float | None = None) -> Login:
        """Find the key and do the fast part of checking the secret; `settle` does the rest."""
        return self._logins.look_up(api_key, api_secret, until)

    def settle(self, login: Login) -> ApiKey | None:
        """Check the secret of an imported key. Slow on purpose; uses no database.

        Returns:
            The key if the secret is right and the key is neither disabled nor expired, else None.
        """
        return self._logins.settle(login)

    def authenticate(self, api_key: str, api_secret: str) -> ApiKey | None:
        """`look_up`, then `settle`.

        Every refusal costs the same work: for an unknown key, for a wrong secret and for a disabled key.
        """
        return self.settle(self.look_up(api_key, api_secret))

    def allow(self, key: ApiKey) -> float:
        """Count one request against the key's rate limit: 0.0, or the seconds to wait if it was not counted.

        Each machine or process counts alone; see `rate.RateLimiter`.
        """
        return self._rates.allow(key.id, key.rate_limit)

    def recall(self, api_key: str, api_secret: str) -> KnownLogin | None:
        """The key with a quota that an earlier login of this process found with the same credentials; see `admit`.

        Never blocks.
        """
        return self._logins.recall(api_key, api_secret)

    def admit(self, known: KnownLogin, ttl_seconds: float, until: float | None = None) -> Admitted | None:
        """Check a known login and reserve one request, in one transaction.

        The database checks that the credentials are still valid, so a change of the key holds at once.

        Args:
            known: from `recall`.
            ttl_seconds: see `reserve`.
            until: see the class.

        Returns:
            None if the credentials are no longer valid as they were; `look_up` finds out why.
        """
        now = self._clock()
        self._sessions.writing.check()
        reservation = counting.limited(known.key.id, now)
        steps = counting.reserving(reservation, now, timedelta(seconds=ttl_seconds), known.stored)
        found, _, inserted = self._sessions.run(steps, until)
        key = self._logins.confirm(known, found.rows[0] if found.rows else None, now)
        if key is None:
            return None
        if key.quota is None:
            return Admitted(key, counting.unlimited(key.id, now))
        return Admitted(key, reservation if inserted.changed else None)

    def reserve(self, key: ApiKey, ttl_seconds: float, until: float | None = None) -> Reservation | None:
        """Reserve one request of the key's quota; None if the quota is used up.

        Args:
            key: from `authenticate`.
            ttl_seconds: after this time the reservation no longer counts. Longer than any request takes, so that only
                reservations of a dead process expire. At most an hour.
            until: see the class.
        """
        now = self._clock()
        # A key without a quota leaves the trial to a caller that needs the database now.
        self._sessions.writing.check(tries=key.quota is not None)
        if key.quota is None:
            return counting.unlimited(key.id, now)
        reservation = counting.limited(key.id, now)
        steps = counting.reserving(reservation, now, timedelta(seconds=ttl_seconds))
        found, _, inserted = self._sessions.run(steps, until)
        if not found.rows:  # a backup without this key was restored a moment ago
            return None
        if found.rows[0].quota is None:
            return counting.unlimited(key.id, now)
        return reservation if inserted.changed else None

    def commit(self, reservation: Reservation, until: float | None = None) -> bool:
        """Count a reserved request; committing twice counts once.

        Tries also if the database failed a moment ago, since the work is done already.

        Returns:
            Whether this call counted it. False if it was settled before, or if it expired and another request has
            removed it since: counting it then could exceed the quota.
        """
        if not reservation._unsettled.acquire(blocking=False):
            return False
        try:
            return self._sessions.run(counting.counting(reservation), until)[-1].changed == 1
        except BaseException:
            reservation._unsettled.release()
            raise

    def release(self, reservation: Reservation, until: float | None = None) -> None:
        """Give a reserved request back without counting it; does nothing if it was settled before."""
        if not reservation._unsettled.acquire(blocking=False):
            return
        if not reservation.limited:
            return
        try:
            self._sessions.writing.check()
            self._sessions.run(counting.giving_back(reservation), until)
        except BaseException:
            reservation._unsettled.release()
            raise


def _now() -> datetime:
    return datetime.now(UTC)


def _current_user() -> str:
    # By the user id: getpass.getuser() trusts the environment first.
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except ImportError:  # Windows
        return getpass.getuser()
    except KeyError:  # a user id without a name, as in containers
        return f"uid {os.getuid()}"
