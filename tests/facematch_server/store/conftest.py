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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from facematch_server.store import Store, upgrade


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


@dataclass
class Postgres:
    """A PostgreSQL server.

    Attributes:
        url: of its first database.
        call: runs `pg_ctl` with these arguments; None: the server is not ours to stop.
        folder: of its files.
    """

    url: str
    call: Callable[..., None] | None = None
    folder: Path = Path()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        if not self.call:
            pytest.skip("the server of FACEMATCH_TEST_POSTGRES is not ours to stop")
        # Reached through a socket in its own folder: no port can collide, and no other program can reach it.
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=off"
        self.call("--options", f"{options} -c max_connections=200", "--wait", "start")

    def stop(self) -> None:
        """Stop it at once, as a crash would."""
        if not self.call:
            pytest.skip("the server of FACEMATCH_TEST_POSTGRES is not ours to stop")
        self.call("--mode", "immediate", "--wait", "stop")

    def processes(self) -> list[int]:
        """Its process and those of its connections."""
        if not self.call:
            pytest.skip("the server of FACEMATCH_TEST_POSTGRES is not ours to stop")
        main = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return [main, *map(int, children)]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server: that of `FACEMATCH_TEST_POSTGRES`, or a throwaway one started here."""
    if given := os.environ.get("FACEMATCH_TEST_POSTGRES"):
        yield Postgres(given)
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
    url = f"postgresql+psycopg://tests@/postgres?host={folder}"
    server = Postgres(url, lambda *options: call(control, "--pgdata", data, *options), folder)
    try:
        call(initdb, "--pgdata", data, "--username", "tests", "--auth", "trust", "--encoding", "UTF8", "--no-sync")
        server.start()
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        (folder.parent / f"{folder.name}.log").unlink(missing_ok=True)


@pytest.fixture(scope="session")
def postgres_server(postgres: Postgres) -> str:
    """URL of a PostgreSQL server."""
    return postgres.url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    server = make_url(request.getfixturevalue("postgres_server"))
    name = f"t{uuid.uuid4().hex}"
    # The server may have been stopped meanwhile.
    engine = create_engine(server, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
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
