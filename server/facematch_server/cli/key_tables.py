"""Keys and usage as tables and as JSON, for `facematch keys`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from facematch_local.cli.console import console, json_text

if TYPE_CHECKING:
    from facematch_server.store import ApiKey, AuditEntry, Usage


def print_json(data: Any) -> None:
    """Print plain data as JSON."""
    typer.echo(json_text(data))


def print_keys(keys: Sequence[ApiKey]) -> None:
    """Print one row for each key."""
    rows = (
        (
            str(key.id),
            key.api_key,
            key.name,
            _state(key),
            quota_text(key),
            _or_dash(key.rate_limit),
            _or_dash(key.profile),
            moment_text(key.expires_at),
        )
        for key in keys
    )
    columns = ("no.", "api_key", "name", "state", "quota", "per minute", "profile", "expires")
    _print_table(columns, rows, "There are no keys yet: `facematch keys create` makes one.")


def print_usage(usages: Sequence[Usage]) -> None:
    """Print one row for each key."""
    rows = (
        (
            usage.key.api_key,
            usage.key.name,
            str(usage.today),
            str(usage.month),
            str(usage.total),
            str(usage.reserved),
            quota_text(usage.key),
            _or_dash(usage.remaining),
            moment_text(usage.resets_at),
        )
        for usage in usages
    )
    columns = ("api_key", "name", "today", "this month", "in all", "in flight", "quota", "left", "resets")
    _print_table(columns, rows, "There are no keys yet.")


def print_audit(entries: Sequence[AuditEntry]) -> None:
    """Print one row for each change."""
    rows = (
        (
            f"{entry.at:%Y-%m-%d %H:%M:%S} UTC",
            entry.actor,
            entry.action,
            entry.api_key,
            ", ".join(f"{name} {value}" for name, value in entry.details.items() if value not in (None, "")),
        )
        for entry in entries
    )
    _print_table(("at", "actor", "action", "api_key", "details"), rows, "No key was ever changed.")


def key_data(key: ApiKey) -> dict[str, Any]:
    """A key as plain data."""
    return {
        "number": key.id,
        "api_key": key.api_key,
        "name": key.name,
        "state": _state(key),
        "quota": key.quota,
        "period": str(key.period),
        "rate_limit": key.rate_limit,
        "profile": key.profile,
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "created_at": key.created_at.isoformat(),
    }


def usage_data(usage: Usage) -> dict[str, Any]:
    """The usage of a key as plain data."""
    return {
        "api_key": usage.key.api_key,
        "name": usage.key.name,
        "today": usage.today,
        "month": usage.month,
        "total": usage.total,
        "reserved": usage.reserved,
        "quota": usage.key.quota,
        "period": str(usage.key.period),
        "remaining": usage.remaining,
        "resets_at": None if usage.resets_at is None else usage.resets_at.isoformat(),
    }


def audit_data(entry: AuditEntry) -> dict[str, Any]:
    """A change as plain data."""
    return {
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "action": entry.action,
        "api_key": entry.api_key,
        "details": dict(entry.details),
    }


def quota_text(key: ApiKey) -> str:
    """The quota in words."""
    if key.quota is None:
        return "no limit"
    return f"{key.quota} in all" if key.period == "total" else f"{key.quota} per {key.period}"


def moment_text(moment: datetime | None) -> str:
    """A moment in UTC, to the minute; a dash for None."""
    return "-" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _state(key: ApiKey) -> str:
    if key.disabled:
        return "disabled"
    return "expired" if key.expired(datetime.now(UTC)) else "active"


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def _print_table(columns: Sequence[str], rows: Iterator[tuple[str, ...]], otherwise: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold", min_width=32 if column == "api_key" else None)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    if table.row_count:
        console().print(table)
    else:
        typer.echo(otherwise, err=True)
