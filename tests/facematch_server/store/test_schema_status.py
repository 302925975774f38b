"""What a revision means for this version, and what the message says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from facematch_server.store import SchemaError, Store, schema, status
from facematch_server.store.schema import SchemaStatus, require_current

pytestmark = pytest.mark.usefixtures("real_migrations")


@pytest.mark.parametrize(("current", "done"), [("0002", True), ("0001", False), ("0003", False), (None, False)])
def test_only_the_newest_revision_is_up_to_date(current: str | None, done: bool) -> None:
    assert SchemaStatus("SQLite file x", current, "0002", known=True).up_to_date is done


def test_a_file_that_does_not_exist_is_new_and_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "keys.db"
    found = status(f"sqlite:///{file}")
    assert (found.database, found.current, found.known) == (f"SQLite file {file}", None, True)
    assert not found.up_to_date
    assert not file.exists()


@pytest.mark.parametrize(
    ("current", "known", "message"),
    [
        (None, True, "the PostgreSQL database x has no tables yet, this version needs revision 0002"),
        ("0001", True, "the PostgreSQL database x is at revision 0001, this version needs revision 0002"),
        ("0009", False, "the PostgreSQL database x is at revision 0009, which this version does not know"),
    ],
)
def test_another_revision_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, current: str | None, known: bool, message: str
) -> None:
    found = SchemaStatus("PostgreSQL database x", current, "0002", known)
    monkeypatch.setattr(schema, "engine_status", lambda engine: found)
    engine: Any = None
    with pytest.raises(SchemaError, match=message):
        require_current(engine)


def test_the_newest_revision_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SchemaStatus("PostgreSQL database x", "0002", "0002", known=True)
    monkeypatch.setattr(schema, "engine_status", lambda engine: found)
    engine: Any = None
    require_current(engine)


def test_a_newer_versions_database_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    Store.open(url).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    found = status(url)
    assert (found.current, found.known, found.up_to_date) == ("9999", False, False)
    with pytest.raises(SchemaError, match="at revision 9999, which this version does not know"):
        Store.open(url)
