"""A throwaway PostgreSQL server with its usual settings, the log flushed to the disk at each commit."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from scripts.scaling.measuring.service import MeasureError


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        pid: of its first process.
        folder: of its socket.
        programs: where `pgbench` and `pg_test_fsync` lie.
        owner: user that runs it; None: the present one.
    """

    pid: int
    folder: Path
    programs: Path
    owner: pwd.struct_passwd | None

    def url(self, folder: Path | None = None) -> str:
        """URL of its database, through its own socket or through one in another folder."""
        return f"postgresql://scaling@/postgres?host={folder or self.folder}"

    def run(self, program: str, *arguments: str) -> str:
        """Run a program of PostgreSQL as the server's user; return what it prints.

        Raises:
            MeasureError: it is not installed, or fails.
        """
        return _run(self.owner, self.folder, str(self.programs / program), *arguments)


def programs() -> Path | None:
    """The folder of PostgreSQL's programs; None where they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    named = str(found[-1]) if found else shutil.which("initdb")
    return Path(named).resolve().parent if named else None


@contextmanager
def postgres(tools: Path) -> Iterator[Server]:
    """Run a server on a socket in a temporary folder; remove it at the end."""
    # PostgreSQL refuses to run as root.
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="fm-pg-"))
    data = folder / "data"
    try:
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        options = ["--username", "scaling", "--auth", "trust", "--encoding", "UTF8"]
        _run(owner, folder, str(tools / "initdb"), "--pgdata", str(data), *options)
        control = (str(tools / "pg_ctl"), "--pgdata", str(data), "--wait")
        place = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
        _run(owner, folder, *control, "--log", str(folder / "log"), "--options", place, "start")
        try:
            yield Server(int((data / "postmaster.pid").read_text().split()[0]), folder, tools, owner)
        finally:
            with suppress(MeasureError):
                _run(owner, folder, *control, "--mode", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fsync_ms(server: Server) -> float:
    """Milliseconds of a write of a log page to the disk, by `pg_test_fsync`."""
    shown = server.run("pg_test_fsync", "--secs-per-test", "1", "--filename", str(server.folder / "fsync"))
    found = re.search(r"fdatasync\s+[\d.]+ ops/sec\s+([\d.]+) usecs/op", shown)
    if found is None:
        raise MeasureError("pg_test_fsync printed nothing about fdatasync")
    return round(float(found[1]) / 1000.0, 3)


def _run(owner: pwd.struct_passwd | None, folder: Path, *command: str) -> str:
    ids = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
    try:
        done = subprocess.run(  # type: ignore[call-overload]  # noqa: S603
            command, check=False, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, **ids
        )
    except OSError as error:
        raise MeasureError(f"{command[0]} does not run: {error.strerror}") from None
    if done.returncode:
        raise MeasureError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-300:]}")
    return str(done.stdout)
