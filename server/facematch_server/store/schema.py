"""Bring the database's schema to what this version needs, and tell whether it is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from facematch_server.store.engine import (
    BEGIN_OPTION,
    describe,
    is_sqlite,
    open_engine,
    sqlite_file,
    unavailable,
)
from facematch_server.store.errors import SchemaError

# Any number, as long as nobody else in this database takes it: PostgreSQL's advisory lock for upgrades.
_UPGRADE_LOCK: Final = 0x66616365


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """Which revision a database is at.

    Attributes:
        database: the database, fit for messages.
        current: its revision, None for an empty database.
        head: the revision this version needs.
        known: whether this version knows `current`; a newer version's is not known.
    """

    database: str
    current: str | None
    head: str
    known: bool

    @property
    def up_to_date(self) -> bool:
        """Whether there is nothing to do."""
        return self.current == self.head


def status(database_url: str) -> SchemaStatus:
    """Tell the revision of a database; an SQLite file that does not exist is not made.

    Raises:
        UnavailableError: the database cannot be reached.
    """
    file = sqlite_file(database_url)
    if file is not None and not file.exists():
        return SchemaStatus(describe(database_url), None, _head(), known=True)
    engine = open_engine(database_url)
    try:
        return engine_status(engine)
    finally:
        engine.dispose()


def upgrade(database_url: str) -> SchemaStatus:
    """Bring a database to the newest revision; several processes may do so at once.

    Raises:
        UnavailableError: the database cannot be reached.
        SchemaError: a newer version made it.
    """
    engine = open_engine(database_url)
    try:
        upgrade_engine(engine)
        return engine_status(engine)
    finally:
        engine.dispose()


def engine_status(engine: Engine) -> SchemaStatus:
    """`status` over an open engine."""
    try:
        with engine.connect() as connection:
            return _status(connection)
    except SQLAlchemyError as error:
        raise unavailable(engine, error, "cannot be opened") from None


def upgrade_engine(engine: Engine) -> None:
    """`upgrade` over an open engine."""
    try:
        # The lock is taken before the revision is looked at: whoever comes second finds the work done.
        with engine.execution_options(**{BEGIN_OPTION: "IMMEDIATE"}).begin() as connection:
            if not is_sqlite(connection):
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
            found = _status(connection)
            if not found.known:
                raise _too_new(found)
            if not found.up_to_date:
                command.upgrade(_config(connection), "head")
    except SQLAlchemyError as error:
        raise unavailable(engine, error, "cannot be upgraded") from None


def require_current(engine: Engine) -> None:
    """Refuse to work with another schema than this version's.

    Raises:
        SchemaError: the message names the remedy.
    """
    found = engine_status(engine)
    if not found.known:
        raise _too_new(found)
    if not found.up_to_date:
        state = f"is at revision {found.current}" if found.current else "has no tables yet"
        raise SchemaError(
            f"the {found.database} {state}, this version needs revision {found.head}: run `facematch db upgrade`"
        )


def _too_new(found: SchemaStatus) -> SchemaError:
    return SchemaError(
        f"the {found.database} is at revision {found.current}, which this version does not know: "
        "a newer version of facematch-local made it; run that one or restore a backup"
    )


def _status(connection: Connection) -> SchemaStatus:
    scripts = ScriptDirectory.from_config(_config(connection))
    current = MigrationContext.configure(connection).get_current_revision()
    known = True
    if current is not None:
        try:
            scripts.get_revision(current)
        except CommandError:
            known = False
    return SchemaStatus(describe(connection.engine.url), current, str(scripts.get_current_head()), known)


def _head() -> str:
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    # Config interpolates percent signs, and an installation's path may hold some.
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
