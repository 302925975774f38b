"""A fresh database per test: SQLite always, PostgreSQL (slow) where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from facematch_server.store import Store, upgrade
from sqlalchemy import create_engine, make_url, text


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 31, 23, 50, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server: `FACEMATCH_TEST_POSTGRES`, or a throwaway one started here."""
    if given := os.environ.get("FACEMATCH_TEST_POSTGRES"):
        yield given
        return
    pytest.importorskip("psycopg", reason="needs the postgres extra")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    initdb = str(programs[-1]) if programs else shutil.which("initdb")
    if not initdb:
        pytest.skip("needs PostgreSQL's programs (Debian: apt-get install postgresql) or FACEMATCH_TEST_POSTGRES")
    # PostgreSQL refuses to run as root.
    user = None
    if os.geteuid() == 0:
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            user = pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp(prefix="fm-pg-"))
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)

    def call(*command: str) -> None:
        ids = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        with (folder.parent / f"{folder.name}.log").open("a") as log:
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            subprocess.run(command, check=True, cwd=folder, **streams, **ids)  # noqa: S603

    control = str(Path(initdb).with_name("pg_ctl"))
    data = str(folder / "data")
    try:
        call(initdb, "--pgdata", data, "--username", "tests", "--auth", "trust", "--encoding", "UTF8", "--no-sync")
        # Reached through a socket in its own folder: no port to collide on, nobody else to reach it.
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c max_connections=200"
        call(control, "--pgdata", data, "--options", options, "--wait", "start")
        yield f"postgresql+psycopg://tests@/postgres?host={folder}"
    finally:
        with suppress(subprocess.CalledProcessError):
            call(control, "--pgdata", data, "--mode", "immediate", "--wait", "stop")
        shutil.rmtree(folder, ignore_errors=True)
        (folder.parent / f"{folder.name}.log").unlink(missing_ok=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    server = make_url(request.getfixturevalue("postgres_server"))
    name = f"t{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def database_url(empty_database: str) -> str:
    """URL of a database with the current schema."""
    upgrade(empty_database)
    return empty_database


@pytest.fixture
def open_store(database_url: str, clock: Clock) -> Iterator[Callable[[], Store]]:
    """Opens stores over one database; the clock is the test's."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(Store.open(database_url, actor="test", clock=clock))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
