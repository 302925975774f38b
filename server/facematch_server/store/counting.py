"""Counting: reserve, then commit or give back.

The used quota is the number of committed requests of the period plus the reservations that have not expired. A process
that dies in between leaves a reservation that expires; the next reservation of the key removes it. A reservation with
an impossibly late expiry comes from a wrong clock and counts as expired; requests of a future period do not count
either.

Each function that returns steps names one transaction. The database decides in it: every statement sees what the
transactions before it have committed, because the first one locks the row that they lock too.
"""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session

from facematch_server.store.records import Period, Reservation
from facematch_server.store.steps import Step
from facematch_server.store.tables import KeyRow, ReservationRow, UsageRow, UtcDateTime

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


def limited(key_id: int, now: datetime) -> Reservation:
    """A reservation for a key with a quota; it holds once the database has a row for it."""
    return Reservation(id=secrets.token_hex(16), key_id=key_id, day=now.date(), limited=True)


def reserving(reservation: Reservation, now: datetime, ttl: timedelta, stored: str | None = None) -> list[Step]:
    """Reserve one request of the key's present quota.

    The first step returns the key's row and locks it; the last one inserts the reservation if the quota allows it.

    Args:
        reservation: the row to insert.
        now: the present moment, aware.
        ttl: time to its expiry.
        stored: reserve only if this is a valid hash of the key's secret and the key is neither disabled nor expired.
    """
    moments = _moments(now)
    day = now.date()
    bounds = {
        f"{name}_{period}": value
        for period in Period
        for name, value in zip(("since", "end"), _days(period, day), strict=True)
    }
    row = {"new_id": reservation.id, "new_day": reservation.day, "new_expires_at": now + min(ttl, _LONGEST)}
    of_key = {"of_key": reservation.key_id}
    if stored is None:
        last = Step(_INSERT, of_key | moments | bounds | row)
    else:
        last = Step(_INSERT_FOR_SECRET, of_key | moments | bounds | row | {"stored": stored})
    return [Step(LOCK_KEY, of_key), Step(_DROP_EXPIRED, of_key | moments), last]


def counting(reservation: Reservation) -> list[Step]:
    """Count a reserved request; the last step changes one row if this transaction counted it."""
    if not reservation.limited:
        return [Step(_COUNT, {"of_key": reservation.key_id, "on_day": reservation.day})]
    of = {"of_id": reservation.id}
    # The lock first: of two transactions for one reservation, the second then finds no row to count.
    return [Step(_LOCK_RESERVATION, of), Step(_COUNT_RESERVATION, of), Step(_TAKE, of)]


def giving_back(reservation: Reservation) -> list[Step]:
    """Remove the row of a reservation."""
    return [Step(_TAKE, {"of_id": reservation.id})]


def rehearse(session: Session, now: datetime) -> None:
    """Write a reservation and remove it again. It is expired, so it never counts."""
    key_id = session.scalar(select(KeyRow.id).limit(1))
    if key_id is None:
        return
    rehearsal = secrets.token_hex(16)
    session.execute(insert(ReservationRow).values(id=rehearsal, key_id=key_id, day=now.date(), expires_at=now))
    session.execute(delete(ReservationRow).where(ReservationRow.id == rehearsal))


def used(session: Session, key_id: int, period: Period, now: datetime) -> tuple[int, int]:
    """The committed and the reserved requests of the current period.

    One statement, so one snapshot: a commit moves a request from the second number to the first, and two statements
    could miss it in both.
    """
    since, end = _days(period, now.date())
    committed, reserved = _used(since, end)
    statement = select(committed, reserved)
    row = session.execute(statement, {"of_key": key_id, **_moments(now)}).one()
    return int(row[0]), int(row[1])


def _days(period: Period, day: date) -> tuple[date, date]:
    """The first day of the period that `day` lies in, and the first day after it."""
    end = period_end(period, day)
    return period_start(period, day), date.max if end is None else end.date()


def _moments(now: datetime) -> dict[str, datetime]:
    return {"now": now, "latest": now + _LONGEST + _CLOCKS_DIFFER}


def _moment(name: str) -> Any:
    return bindparam(name, type_=UtcDateTime())


def _held() -> ColumnElement[bool]:
    """Whether a reservation has not expired."""
    return and_(_RESERVATIONS.c.expires_at > _moment("now"), _RESERVATIONS.c.expires_at <= _moment("latest"))


def _used(since: Any, end: Any) -> tuple[Any, Any]:
    committed = select(func.coalesce(func.sum(_USAGE.c.requests), 0)).where(
        _USAGE.c.key_id == bindparam("of_key"), _USAGE.c.day >= since, _USAGE.c.day < end
    )
    reserved = select(func.count()).where(
        _RESERVATIONS.c.key_id == bindparam("of_key"),
        _RESERVATIONS.c.day >= since,
        _RESERVATIONS.c.day < end,
        _held(),
    )
    return committed.scalar_subquery(), reserved.scalar_subquery()


def _bound(name: str) -> Any:
    """The limit of the period that the key has at this moment."""
    of = {period: bindparam(f"{name}_{period}", type_=_USAGE.c.day.type) for period in Period}
    return case(
        (_KEYS.c.period == Period.DAY.value, of[Period.DAY]),
        (_KEYS.c.period == Period.MONTH.value, of[Period.MONTH]),
        else_=of[Period.TOTAL],
    )


def _insertion(*conditions: ColumnElement[bool]) -> Any:
    committed, reserved = _used(_bound("since"), _bound("end"))
    row = select(
        bindparam("new_id", type_=_RESERVATIONS.c.id.type),
        _KEYS.c.id,
        bindparam("new_day", type_=_RESERVATIONS.c.day.type),
        _moment("new_expires_at"),
    ).where(_KEYS.c.id == bindparam("of_key"), committed + reserved < _KEYS.c.quota, *conditions)
    return insert(_RESERVATIONS).from_select(["id", "key_id", "day", "expires_at"], row)


_KEYS: Final[Any] = KeyRow.__table__
_USAGE: Final[Any] = UsageRow.__table__
_RESERVATIONS: Final[Any] = ReservationRow.__table__

# NO KEY UPDATE: a commit's foreign key check shares the row with it. A plain FOR UPDATE would wait for a commit that
# itself waits for the expired reservation deleted by the next step.
LOCK_KEY: Final = select(_KEYS).where(_KEYS.c.id == bindparam("of_key")).with_for_update(key_share=True)
_DROP_EXPIRED: Final = delete(_RESERVATIONS).where(_RESERVATIONS.c.key_id == bindparam("of_key"), not_(_held()))
_INSERT: Final = _insertion()
_INSERT_FOR_SECRET: Final = _insertion(
    _KEYS.c.disabled_at.is_(None),
    or_(_KEYS.c.expires_at.is_(None), _KEYS.c.expires_at > _moment("now")),
    or_(
        _KEYS.c.secret_hash == bindparam("stored"),
        and_(_KEYS.c.previous_secret_hash == bindparam("stored"), _KEYS.c.previous_secret_until > _moment("now")),
    ),
)
_LOCK_RESERVATION: Final = select(_RESERVATIONS.c.id).where(_RESERVATIONS.c.id == bindparam("of_id")).with_for_update()
_TAKE: Final = delete(_RESERVATIONS).where(_RESERVATIONS.c.id == bindparam("of_id"))
# As text: SQLAlchemy has a form of ON CONFLICT for each kind of database, and these two mean the same in both.
_AGAIN: Final = "ON CONFLICT (key_id, day) DO UPDATE SET requests = usage.requests + 1"
_COUNT: Final = text(
    f"INSERT INTO usage (key_id, day, requests) VALUES (:of_key, :on_day, 1) {_AGAIN}"  # noqa: S608
).bindparams(bindparam("on_day", type_=_USAGE.c.day.type))
_COUNT_RESERVATION: Final = text(
    f"INSERT INTO usage (key_id, day, requests) SELECT key_id, day, 1 FROM reservations WHERE id = :of_id {_AGAIN}"  # noqa: S608
)
