"""Reports the schema of the database, and upgrades it to the one that this version needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, inspect, text
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

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported for an upgrade only: it would be a tenth of the time of a start.
_MIGRATIONS: Final = Path(__file__).with_name("migrations")
# Alembic's table of the current revision.
_VERSION_TABLE: Final = "alembic_version"

# PostgreSQL's advisory lock for upgrades; no other lock of this database has this number.
_UPGRADE_LOCK: Final = 0x66616365


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """The revision of a database.

    Attributes:
        database: the database, in the words of `describe`.
        current: its revision; None for an empty database.
        head: the revision that this version needs.
        known: whether this version knows `current`; it does not know revisions of newer versions.
    """

    database: str
    current: str | None
    head: str
    known: bool

    @property
    def up_to_date(self) -> bool:
        """Whether the database needs no upgrade."""
        return self.current == self.head


def status(database_url: str) -> SchemaStatus:
    """The revision of a database. A missing SQLite file is not created.

    Raises:
        UnavailableError: the database cannot be reached.
    """
    file = sqlite_file(database_url)
    if file is not None and not file.exists():
        return SchemaStatus(describe(database_url), None, revisions()[-1], known=True)
    engine = open_engine(database_url)
    try:
        return engine_status(engine)
    finally:
        engine.dispose()


def upgrade(database_url: str) -> SchemaStatus:
    """Upgrade a database to the newest revision. Several processes may do so at the same time.

    Raises:
        UnavailableError: the database cannot be reached.
        SchemaError: the schema belongs to a newer version.
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
        # Take the lock before reading the revision: the second process then finds the work done.
        with engine.execution_options(**{BEGIN_OPTION: "IMMEDIATE"}).begin() as connection:
            if not is_sqlite(connection):
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
            found = _status(connection)
            if not found.known:
                raise _too_new(found)
            if not found.up_to_date:
                _migrate(connection)
    except SQLAlchemyError as error:
        raise unavailable(engine, error, "cannot be upgraded") from None


def _migrate(connection: Connection) -> None:
    # Imported here: most starts find the schema up to date.
    from alembic import command

    command.upgrade(_config(connection), "head")


def require_current(engine: Engine) -> None:
    """Refuse a schema that is not the one of this version.

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


def revisions() -> tuple[str, ...]:
    """All revisions that this version knows, oldest first: the numbers that the names of the migrations begin with."""
    return tuple(sorted(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py")))


def _status(connection: Connection) -> SchemaStatus:
    current = None
    if inspect(connection).has_table(_VERSION_TABLE):
        current = connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}"))  # noqa: S608 - a constant
    known = revisions()
    return SchemaStatus(describe(connection.engine.url), current, known[-1], current is None or current in known)


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    # Config interpolates percent signs, which the path of an installation may contain.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
