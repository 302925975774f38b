"""Migrations that remember: the tests make the tables of a new SQLite database hundreds of times.

The first new database of a process is really migrated; the later ones get a copy of its tables and rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest
    from sqlalchemy import Connection


class SchemaMemory:
    """What the migrations make of an empty SQLite database, as SQL."""

    def __init__(self) -> None:
        self.paused = False
        self._statements: list[str] = []

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Make migrations in this process remember, until `patch` is undone."""
        from facematch_server.store import schema

        migrate = schema._migrate

        def migrate_or_copy(connection: Connection) -> None:
            if self.paused or connection.dialect.name != "sqlite" or _tables(connection):
                migrate(connection)
                return
            if not self._statements:
                migrate(connection)
                raw: Any = connection.connection.driver_connection
                self._statements = [line for line in raw.iterdump() if line not in ("BEGIN TRANSACTION;", "COMMIT;")]
                return
            for statement in self._statements:
                connection.exec_driver_sql(statement)

        patch.setattr(schema, "_migrate", migrate_or_copy)


def _tables(connection: Connection) -> int:
    count: int = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    return count
