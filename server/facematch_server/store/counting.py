"""Counting: reserve, then commit or give back.

The used quota is the number of committed requests of the period plus the reservations that have not expired. A process
that dies in between leaves a reservation that expires; the next `reserve` of the key removes it. A reservation with an
impossibly late expiry comes from a wrong clock and counts as expired; requests of a future period do not count either.
Every function runs inside a transaction of the caller.
"""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, insert, not_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from facematch_server.store.records import Period, Reservation
from facematch_server.store.tables import KeyRow, ReservationRow, UsageRow

# The longest time to the expiry of a reservation, ...
_LONGEST: Final = timedelta(hours=1)
# ... and the largest harmless difference between clocks of several machines, or before and after a correction.
_CLOCKS_DIFFER: Final = timedelta(hours=1)


def period_start(period: Period, day: date) -> date:
    """First UTC day of the period that `day` lies in."""
    if period is Period.DAY:
        return day
    if period is Period.MONTH:
        return day.replace(day=1)
    return date.min


def period_end(period: Period, day: date) -> datetime | None:
    """The moment when the period of `day` ends; None for a total."""
    if period is Period.TOTAL:
        return None
    if period is Period.DAY:
        following = day + timedelta(days=1)
    else:
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return datetime.combine(following, time(), UTC)


def is_used(session: Session) -> bool:
    """Whether any request was ever counted."""
    return session.scalar(select(UsageRow.key_id).limit(1)) is not None


def unlimited(key_id: int, now: datetime) -> Reservation:
    """A reservation for a key without a quota; the database needs no row for it."""
    return Reservation(id=secrets.token_hex(16), key_id=key_id, day=now.date(), limited=False)


def reserve(session: Session, key_id: int, now: datetime, ttl: timedelta) -> Reservation | None:
    """Reserve one request of the key's present quota; None if the quota is used up.

    The caller's transaction holds SQLite's write lock; on PostgreSQL the key's row is locked here.
    """
    # NO KEY UPDATE: a commit's foreign key check shares the row with it. A plain FOR UPDATE would wait
    # for a commit that itself waits for the expired reservation deleted below.
    row = session.execute(
        select(KeyRow.quota, KeyRow.period).where(KeyRow.id == key_id).with_for_update(key_share=True)
    ).one()
    if row.quota is None:
        return unlimited(key_id, now)
    session.execute(delete(ReservationRow).where(ReservationRow.key_id == key_id, not_(_held(now))))
    committed, reserved = used(session, key_id, Period(row.period), now)
    if committed + reserved >= row.quota:
        return None
    reservation = Reservation(id=secrets.token_hex(16), key_id=key_id, day=now.date(), limited=True)
    expires_at = now + min(ttl, _LONGEST)
    session.execute(
        insert(ReservationRow).values(id=reservation.id, key_id=key_id, day=reservation.day, expires_at=expires_at)
    )
    return reservation


def rehearse(session: Session, now: datetime) -> None:
    """Write a reservation and remove it again. It is expired, so it never counts."""
    key_id = session.scalar(select(KeyRow.id).limit(1))
    if key_id is None:
        return
    rehearsal = secrets.token_hex(16)
    session.execute(insert(ReservationRow).values(id=rehearsal, key_id=key_id, day=now.date(), expires_at=now))
    session.execute(delete(ReservationRow).where(ReservationRow.id == rehearsal))


def take(session: Session, reservation: Reservation) -> bool:
    """Remove the row of a reservation; False if it is no longer there. The call that removes the row settles it."""
    removed: Any = session.execute(delete(ReservationRow).where(ReservationRow.id == reservation.id))
    return bool(removed.rowcount)


def count(session: Session, reservation: Reservation) -> None:
    """Add one to the usage of the reservation's day."""
    statement = _insert(session).values(key_id=reservation.key_id, day=reservation.day, requests=1)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[UsageRow.key_id, UsageRow.day], set_={"requests": UsageRow.requests + 1}
        )
    )


def used(session: Session, key_id: int, period: Period, now: datetime) -> tuple[int, int]:
    """The committed and the reserved requests of the current period.

    One statement, so one snapshot: a commit moves a request from the second number to the first, and two statements
    could miss it in both.
    """
    since = period_start(period, now.date())
    end = period_end(period, now.date())
    before = date.max if end is None else end.date()
    committed = select(func.coalesce(func.sum(UsageRow.requests), 0)).where(
        UsageRow.key_id == key_id, UsageRow.day >= since, UsageRow.day < before
    )
    reserved = select(func.count()).where(
        ReservationRow.key_id == key_id, ReservationRow.day >= since, ReservationRow.day < before, _held(now)
    )
    row = session.execute(select(committed.scalar_subquery(), reserved.scalar_subquery())).one()
    return int(row[0]), int(row[1])


def _held(now: datetime) -> ColumnElement[bool]:
    """Whether a reservation has not expired."""
    return and_(ReservationRow.expires_at > now, ReservationRow.expires_at <= now + _LONGEST + _CLOCKS_DIFFER)


def _insert(session: Session) -> Any:
    sqlite_dialect = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(UsageRow) if sqlite_dialect else postgresql.insert(UsageRow)
