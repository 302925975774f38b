"""A throwaway PostgreSQL server in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

_NOT_OURS = "the server of FACEMATCH_TEST_POSTGRES is not ours to stop"


@dataclass
class Postgres:
    """A PostgreSQL server, reached through a socket in its own folder: no port can collide.

    Attributes:
        url: of its first database.
        programs: folder of PostgreSQL's programs; None: the server is not ours to stop.
        folder: of its socket and its log.
        data: of its files.
        durable: whether it waits for the disk, as a real server does.
    """

    url: str
    programs: Path | None = None
    folder: Path = Path()
    data: Path = Path()
    durable: bool = False

    def call(self, program: str, *arguments: object) -> None:
        """Run one of PostgreSQL's programs as the user that owns the files."""
        if self.programs is None:
            pytest.skip(_NOT_OURS)
        owner = self.folder.stat()
        ids = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        with (self.folder / "log").open("a") as log:
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            command = [str(self.programs / program), *map(str, arguments)]
            subprocess.run(command, check=True, cwd=self.folder, **streams, **ids)  # type: ignore[call-overload]  # noqa: S603

    def start(self, **settings: object) -> None:
        """Start it with further settings, and wait until it answers."""
        given = {"listen_addresses": "''", "fsync": self.durable, "max_connections": 200, **settings}
        options = " ".join(f"-c {name}={value}" for name, value in given.items())
        options += f" -c unix_socket_directories='{self.folder}'"
        self.call("pg_ctl", "--pgdata", self.data, "--options", options, "--wait", "start")

    def stop(self) -> None:
        """Stop it at once, as a crash would."""
        self.call("pg_ctl", "--pgdata", self.data, "--mode", "immediate", "--wait", "stop")

    def processes(self) -> list[int]:
        """Its process and those of its connections."""
        if self.programs is None:
            pytest.skip(_NOT_OURS)
        main = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return [main, *map(int, children)]

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """URL of an empty database, dropped at the end."""
        server = make_url(self.url)
        name = f"t{uuid.uuid4().hex}"
        # The server may have been stopped meanwhile.
        engine = create_engine(server, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield server.set(database=name).render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


@contextmanager
def throwaway_server(*, durable: bool = False) -> Iterator[Postgres]:
    """A fresh server, removed at the end; skips where PostgreSQL is not installed."""
    pytest.importorskip("psycopg", reason="needs the postgres extra")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if not initdb:
        pytest.skip("needs PostgreSQL's programs (Debian: apt-get install postgresql) or FACEMATCH_TEST_POSTGRES")
    folder = Path(tempfile.mkdtemp(prefix="fm-pg-"))
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = _unprivileged()
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = folder / "data"
    server = Postgres(f"postgresql+psycopg://tests@/postgres?host={folder}", Path(initdb).parent, folder, data, durable)
    try:
        server.call(
            *("initdb", "--pgdata", data, "--username", "tests"),
            *("--auth", "trust", "--encoding", "UTF8", "--no-sync"),
        )
        server.start()
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
