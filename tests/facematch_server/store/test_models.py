"""Columns: moments keep their time zone; revision 0001 makes the columns that the models describe."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects import sqlite

from facematch_server.store.models import Base, UtcDateTime

DIALECT = sqlite.dialect()
NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


def test_a_moment_is_stored_in_utc() -> None:
    column, east = UtcDateTime(), timezone(timedelta(hours=7))
    assert column.process_bind_param(NOON.astimezone(east), DIALECT) == NOON
    assert str(column.process_bind_param(NOON.astimezone(east), DIALECT)) == "2026-03-31 12:00:00+00:00"
    assert column.process_bind_param(None, DIALECT) is None
    with pytest.raises(ValueError, match="time zone"):
        column.process_bind_param(NOON.replace(tzinfo=None), DIALECT)


def test_a_stored_moment_is_aware() -> None:
    column, east = UtcDateTime(), timezone(timedelta(hours=7))
    assert column.process_result_value(NOON.replace(tzinfo=None), DIALECT) == NOON
    assert str(column.process_result_value(NOON.astimezone(east), DIALECT)) == "2026-03-31 12:00:00+00:00"
    assert column.process_result_value(None, DIALECT) is None


def _described(column: Column[Any]) -> tuple[str, str, bool]:
    return column.name, str(column.type.compile(DIALECT)), bool(column.nullable)


def test_the_first_revision_has_the_columns_of_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a change after that revision: compare with the database that all revisions make (test_schema.py)."""
    first = importlib.import_module("facematch_server.store.migrations.versions.0001_keys")
    made: dict[str, list[tuple[str, str, bool]]] = {}

    class Recorder:
        def create_table(self, name: str, *parts: Any) -> None:
            table = Table(name, MetaData(), *(part for part in parts if isinstance(part, Column)))
            made[name] = [_described(column) for column in table.columns]

        def create_index(self, *_: object) -> None: ...

        def f(self, name: str) -> str:
            return name

    monkeypatch.setattr(first, "op", Recorder())
    first.upgrade()
    assert made == {
        name: [_described(column) for column in table.columns] for name, table in Base.metadata.tables.items()
    }


def test_the_columns_of_a_key_and_of_the_audit_trail() -> None:
    def lengths(table: str) -> dict[str, int]:
        columns = Base.metadata.tables[table].columns
        return {column.name: column.type.length for column in columns if getattr(column.type, "length", None)}

    assert lengths("api_keys") == {
        "api_key": 255,
        "name": 200,
        "secret_hash": 255,
        "previous_secret_hash": 255,
        "profile": 20,
        "period": 10,
    }
    assert lengths("audit") == {"actor": 255, "action": 20, "api_key": 255}
    assert lengths("reservations") == {"id": 32}
