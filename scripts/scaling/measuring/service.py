"""A service to measure: `facematch serve` on loopback, on chosen cores."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.scaling.measuring.conditions import ROOT

_START_SECONDS = 120.0


class MeasureError(Exception):
    """The service or a tool did not do what the measurement needs."""


@dataclass(frozen=True, slots=True)
class Running:
    """A running service.

    Attributes:
        pid: of its first process.
        port: on 127.0.0.1.
        auth: API key and secret.
        start_seconds: from the command to the open port.
        log: its log.
    """

    pid: int
    port: int
    auth: tuple[str, str]
    start_seconds: float
    log: Path


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Bind this process and what it starts to these cores, as `taskset` does."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def service(
    pack: str, cores: set[int], database_url: str = "", *options: str, settings: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run a service with a key without quota; end it at the end.

    Args:
        pack: its model pack.
        cores: that it may use; it runs as many threads.
        database_url: empty for SQLite in a temporary folder.
        options: further arguments of `facematch serve`.
        settings: further settings, without the prefix `FACEMATCH_`.

    Raises:
        MeasureError: it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="facematch-scaling-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        url = database_url or f"sqlite:///{folder / 'facematch.db'}"
        auth = _new_key(url)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("FACEMATCH_")}
        given = {"PACK": pack, "DATA_DIR": name, "PORT": "0", "DATABASE_URL": url, "URL_POLICY": "off"}
        # Otherwise the service closes connections that clients of an open loop still hold.
        given["KEEP_ALIVE_SECONDS"] = "300"
        given |= settings or {}
        environment |= {f"FACEMATCH_{key}": value for key, value in given.items()}
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "server"), *filter(None, sys.path)])
        log = folder / "log"
        written = stack.enter_context(log.open("wb"))
        begun = time.monotonic()
        command = [sys.executable, "-m", "facematch_server", "serve", *options]
        with on_cores(cores):
            process = subprocess.Popen(command, env=environment, stdout=written, stderr=written)  # noqa: S603
        try:
            port = _port(process, log, begun + _START_SECONDS)
            yield Running(process.pid, port, auth, time.monotonic() - begun, log)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _new_key(url: str) -> tuple[str, str]:
    from facematch_server.store import Store

    with closing(Store.open(url)) as store:
        new = store.create_key()
    return new.api_key, new.api_secret


def _port(process: subprocess.Popen[bytes], log: Path, until: float) -> int:
    while time.monotonic() < until and process.poll() is None:
        for line in log.read_text("utf-8", "replace").splitlines():
            if '"listening"' in line:
                return int(json.loads(line)["address"].rpartition(":")[2])
        time.sleep(0.02)
    raise MeasureError(f"the service did not start: {log.read_text('utf-8', 'replace').strip()[-500:]}")
