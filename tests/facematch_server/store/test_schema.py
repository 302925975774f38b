"""Migrations: complete, safe to run at once, clear when they are missing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, create_engine, inspect, text

from facematch_server.store import KeySettings, SchemaError, Store, UnavailableError, schema, status, upgrade
from facematch_server.store.tables import Base

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.usefixtures("real_migrations")


def test_migrations_make_the_tables_the_models_describe(database_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        constraints = [constraint for table in Base.metadata.tables.values() for constraint in table.constraints]
        expected = {constraint.name for constraint in constraints if isinstance(constraint, CheckConstraint)}
        found = {c["name"] for name in Base.metadata.tables for c in inspect(connection).get_check_constraints(name)}
        assert found == expected
    engine.dispose()


def test_upgrade_is_told_by_status_and_can_be_repeated(empty_database: str) -> None:
    before = status(empty_database)
    assert before.current is None
    assert not before.up_to_date
    after = upgrade(empty_database)
    assert after.up_to_date
    assert upgrade(empty_database) == after == status(empty_database)


@pytest.mark.parametrize("empty_database", ["sqlite"], indirect=True)
def test_sqlite_is_upgraded_when_opened(empty_database: str) -> None:
    Store.open(empty_database).close()
    assert status(empty_database).up_to_date


@pytest.mark.slow
@pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True)
def test_postgresql_without_tables_says_what_to_run(empty_database: str) -> None:
    with pytest.raises(SchemaError, match=r"no tables yet.*facematch db upgrade") as raised:
        Store.open(empty_database)
    assert "\n" not in str(raised.value)
    assert status(empty_database).current is None


@pytest.mark.slow
@pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True)
def test_postgresql_is_upgraded_by_the_command(
    empty_database: str, facematch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEMATCH_DATABASE_URL", empty_database)
    refused = facematch("keys", "create")
    assert refused.code == 2
    assert "facematch db upgrade" in refused.err
    assert facematch("db", "status").code == 1
    assert facematch("db", "upgrade").code == 0
    assert facematch("db", "status").code == 0
    assert facematch("keys", "create", "--json").code == 0


def test_a_newer_versions_database_is_left_alone(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for attempt in (Store.open, upgrade):
        with pytest.raises(SchemaError, match=r"9999.*newer version"):
            attempt(database_url)
    assert status(database_url).current == "9999"


@pytest.mark.slow
def test_many_processes_may_start_first(empty_database: str) -> None:
    opening = "Store.open(url)" if empty_database.startswith("sqlite") else "(upgrade(url), Store.open(url))[1]"
    code = f"""
import sys
from facematch_server.store import Store, upgrade
print("ready", flush=True)
sys.stdin.readline()
url = sys.argv[1]
store = {opening}
new = store.create_first_key()
print("first" if new else "later")
store.close()
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "server"), str(ROOT)])}
    processes = [
        subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", code, empty_database],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 3, results
    assert sorted(output for output, _ in results) == ["first\n"] + ["later\n"] * 2


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    store = Store.open(f"sqlite:///{folder / 'store.db'}")
    store.create_key(KeySettings("x"))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    store.close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://scott:hunter2@db/x",
        "not a url hunter2",
        "postgresql://scott:hunter2@127.0.0.1:1/x",
        "postgresql://scott@127.0.0.1:1/x?password=hunter2",
        "postgresql://scott:hunter2@127.0.0.1:notaport/x",
        "sqlite:////proc/no/such/folder/x.db",
    ],
)
def test_a_wrong_url_is_one_line_without_the_password(url: str) -> None:
    with pytest.raises(UnavailableError) as raised:
        Store.open(url)
    assert "hunter2" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"\xff\xd8" * 5000)
    with pytest.raises(UnavailableError, match=r"photo\.jpg cannot be opened: file is not a database"):
        Store.open(f"sqlite:///{path}")
    assert path.read_bytes() == b"\xff\xd8" * 5000


def test_migrations_go_down_and_up_again(database_url: str) -> None:
    """Every revision can be taken back, and what it takes back it can make again."""
    from alembic import command

    from facematch_server.store import schema
    from facematch_server.store.engine import BEGIN_OPTION, open_engine

    engine = open_engine(database_url)
    with engine.execution_options(**{BEGIN_OPTION: "IMMEDIATE"}).begin() as connection:
        command.downgrade(schema._config(connection), "base")
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    engine.dispose()
    assert status(database_url).current is None
    assert upgrade(database_url).up_to_date
    with closing(Store.open(database_url)) as store:
        assert store.create_first_key() is not None


def test_the_revisions_are_those_of_alembic() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).with_name("migrations")))
    scripts = ScriptDirectory.from_config(config)
    oldest_first = [script.revision for script in scripts.walk_revisions()][::-1]
    assert list(schema.revisions()) == oldest_first
    assert schema.revisions()[-1] == scripts.get_current_head()


@pytest.mark.slow
def test_a_start_on_an_upgraded_database_does_not_load_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    Store.open(url).close()
    code = f"import sys; sys.path[:0] = {sys.path!r}\nfrom facematch_server.store import Store\n"
    code += f"Store.open({url!r}).close()\nassert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)  # noqa: S603
