"""The tables. A change here needs a revision in `migrations/versions`; a test compares the two."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from facematch_server.store.records import ApiKey, KeySettings, Period
from facematch_server.wire.profile import Profile

# SQLite numbers rows only if the primary key is INTEGER (which has 64 bits there).
Id = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment. SQLite has no time zones; it stores UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Names every constraint, so that later revisions can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


class KeyRow(Base):
    """One key. Keys are disabled, never deleted: the audit trail and the counts refer to them."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint(f"period IN ({_quoted(Period)})", name="period"),
        CheckConstraint(f"profile IN ({_quoted(Profile)})", name="profile"),
        CheckConstraint("quota >= 0", name="quota"),
        CheckConstraint("rate_limit >= 1", name="rate_limit"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    api_key: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    secret_hash: Mapped[str] = mapped_column(String(255))
    previous_secret_hash: Mapped[str | None] = mapped_column(String(255))
    previous_secret_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    profile: Mapped[str | None] = mapped_column(String(20))
    quota: Mapped[int | None] = mapped_column(Integer)
    period: Mapped[str] = mapped_column(String(10))
    rate_limit: Mapped[int | None] = mapped_column(Integer)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class UsageRow(Base):
    """Successful requests of one key on one UTC day."""

    __tablename__ = "usage"

    key_id: Mapped[int] = mapped_column(ForeignKey("api_keys.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    requests: Mapped[int] = mapped_column(Id)


class ReservationRow(Base):
    """A request in flight of a key with a quota."""

    __tablename__ = "reservations"
    __table_args__ = (Index(None, "key_id", "expires_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key_id: Mapped[int] = mapped_column(ForeignKey("api_keys.id"))
    day: Mapped[date] = mapped_column(Date)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditRow(Base):
    """One change of a key. Rows are added, never changed."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(20))
    api_key: Mapped[str] = mapped_column(String(255), index=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


def key_of(row: KeyRow) -> ApiKey:
    """The key of a row; no secret."""
    return ApiKey(
        id=row.id,
        api_key=row.api_key,
        settings=KeySettings(
            name=row.name,
            quota=row.quota,
            period=Period(row.period),
            profile=None if row.profile is None else Profile(row.profile),
            rate_limit=row.rate_limit,
            expires_at=row.expires_at,
        ),
        disabled=row.disabled_at is not None,
        created_at=row.created_at,
        previous_secret_until=row.previous_secret_until,
    )
