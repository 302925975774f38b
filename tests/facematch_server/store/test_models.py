"""Columns: moments keep their time zone; revision 0001 makes the columns that the models describe."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import MetaData, Table, UniqueConstraint
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


def _described(table: Table) -> dict[str, object]:
    return {
        "columns": [(c.name, str(c.type.compile(DIALECT)), c.nullable) for c in table.columns],
        "key": [column.name for column in table.primary_key],
        "unique": [list(c.columns.keys()) for c in table.constraints if isinstance(c, UniqueConstraint)],
        "references": sorted((key.parent.name, key.target_fullname) for key in table.foreign_keys),
    }


def test_the_first_revision_has_the_tables_of_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second revision: compare with the database that all revisions make, as test_schema.py does."""
    first = importlib.import_module("facematch_server.store.migrations.versions.0001_keys")
    made: dict[str, dict[str, object]] = {}
    indexes: list[tuple[str, list[str]]] = []

    class Recorder:
        def create_table(self, name: str, *parts: Any) -> None:
            made[name] = _described(Table(name, MetaData(), *parts))

        def create_index(self, _: str, table: str, columns: list[str]) -> None:
            indexes.append((table, columns))

        def f(self, name: str) -> str:
            return name

    monkeypatch.setattr(first, "op", Recorder())
    first.upgrade()
    tables = Base.metadata.tables
    assert made == {name: _described(table) for name, table in tables.items()}
    found = [(name, index.columns.keys()) for name, table in tables.items() for index in table.indexes]
    assert sorted(indexes) == sorted(found) == [("audit", ["api_key"]), ("reservations", ["key_id", "expires_at"])]


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
