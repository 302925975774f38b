"""Counting: reserve, then commit or give back.

What is used up = what was committed in the period + what is reserved and not expired. A process that
dies between the two leaves a reservation that expires; the next `reserve` for the key removes it.
Every function runs inside a transaction of the caller.
"""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from facematch_server.store.models import KeyRow, ReservationRow, UsageRow
from facematch_server.store.records import Period, Reservation


def period_start(period: Period, day: date) -> date:
    """First UTC day of the period that `day` lies in."""
    if period is Period.DAY:
        return day
    if period is Period.MONTH:
        return day.replace(day=1)
    return date.min


def period_end(period: Period, day: date) -> datetime | None:
    """The moment the period of `day` ends, None for a total."""
    if period is Period.TOTAL:
        return None
    if period is Period.DAY:
        following = day + timedelta(days=1)
    else:
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return datetime.combine(following, time(), UTC)


def unlimited(key_id: int, now: datetime) -> Reservation:
    """A reservation for a key without a quota: nothing needs to be written before the commit."""
    return Reservation(id=secrets.token_hex(16), key_id=key_id, day=now.date(), limited=False)


def reserve(session: Session, key_id: int, now: datetime, ttl: timedelta) -> Reservation | None:
    """Take one request out of the quota as it is now, None if nothing is left of it.

    The caller's transaction holds SQLite's write lock; on PostgreSQL the key's row is locked here.
    """
    # NO KEY UPDATE: a commit's foreign key check shares the row with it. A plain FOR UPDATE would wait
    # for a commit that itself waits for the expired reservation deleted below.
    row = session.execute(
        select(KeyRow.quota, KeyRow.period).where(KeyRow.id == key_id).with_for_update(key_share=True)
    ).one()
    if row.quota is None:
        return unlimited(key_id, now)
    session.execute(delete(ReservationRow).where(ReservationRow.key_id == key_id, ReservationRow.expires_at <= now))
    committed, reserved = used(session, key_id, Period(row.period), now)
    if committed + reserved >= row.quota:
        return None
    reservation = Reservation(id=secrets.token_hex(16), key_id=key_id, day=now.date(), limited=True)
    session.execute(
        insert(ReservationRow).values(id=reservation.id, key_id=key_id, day=reservation.day, expires_at=now + ttl)
    )
    return reservation


def take(session: Session, reservation: Reservation) -> bool:
    """Remove a reservation's row; False if it is no longer there. Whoever removes it settles it."""
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
    """What is committed and what is reserved in the current period.

    One statement, so one snapshot: a commit moves a request from the second number to the first, and
    between two statements it could be missed in both.
    """
    since = period_start(period, now.date())
    committed = select(func.coalesce(func.sum(UsageRow.requests), 0)).where(
        UsageRow.key_id == key_id, UsageRow.day >= since
    )
    reserved = select(func.count()).where(
        ReservationRow.key_id == key_id, ReservationRow.day >= since, ReservationRow.expires_at > now
    )
    row = session.execute(select(committed.scalar_subquery(), reserved.scalar_subquery())).one()
    return int(row[0]), int(row[1])


def _insert(session: Session) -> Any:
    sqlite_dialect = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(UsageRow) if sqlite_dialect else postgresql.insert(UsageRow)
