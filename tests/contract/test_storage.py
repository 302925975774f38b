"""The database goes away while the service runs: 503 soon, `/readyz` says why, and all is well once it is back."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from facematch_server.access import readiness
from facematch_server.store import KeySettings, outage

FILE = {"format_type": "file"}
# A request waits for 0.3 seconds; a longer one waited more than once.
SOON = 5.0
LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def service(start: Callable[..., Any]) -> Any:
    """A service that waits for its database for 0.3 seconds."""
    return start(database_seconds=0.3)


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure of the database, and an answer to `/readyz`, hold for a fifth of a second instead of a second."""
    monkeypatch.setattr(outage, "_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(readiness, "_KEEP_SECONDS", 0.2)


@pytest.fixture
def path(service: Any) -> Path:
    return Path(str(make_url(service.app.state.services.settings.store_url).database))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process holds the database's lock."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", LOCKER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "locked\n"
        yield
    finally:
        process.kill()
        process.communicate()


def ready(service: Any) -> tuple[int, str | None]:
    response = service.get("/readyz")
    return response.status_code, response.json().get("reason")


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_503(service: Any, envelope: Callable[..., Any], photo: bytes, auth: tuple[str, str]) -> None:
    begun = time.monotonic()
    response = service.post(params=FILE, files={"img1": photo, "img2": photo}, auth=auth)
    assert time.monotonic() - begun < SOON
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    assert envelope(response)["errorCode"] == "503"


@pytest.mark.usefixtures("short_pauses")
def test_a_locked_database(service: Any, path: Path, envelope: Callable[..., Any], astronaut_jpeg: bytes) -> None:
    new = service.store.create_key(KeySettings(name="counted", quota=100))
    auth = (new.api_key, new.api_secret)
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    assert ready(service) == (200, None)
    with locked(path), ThreadPoolExecutor(12) as threads:
        for answered in [
            threads.submit(is_503, service, envelope, astronaut_jpeg, auth) for auth in [auth, service.auth] * 12
        ]:
            answered.result()
        until(lambda: ready(service) == (503, "the database is locked by another process"))
        # A wrong secret is reported: reading needs no lock.
        begun = time.monotonic()
        assert envelope(service.post(params=FILE, auth=(new.api_key, "wrong")))["errorCode"] == "5"
        assert time.monotonic() - begun < SOON
        assert service.get("/healthz").status_code == 200
    until(lambda: ready(service) == (200, None))
    until(lambda: service.post(params=FILE, files=files, auth=auth).status_code == 200)
    usage = service.store.usage(new.api_key)
    assert (usage.total, usage.reserved) == (1, 0)


@pytest.mark.usefixtures("short_pauses")
def test_a_database_file_that_is_deleted_and_put_back(
    service: Any, path: Path, tmp_path: Path, envelope: Callable[..., Any], astronaut_jpeg: bytes
) -> None:
    from facematch_server.store import backup

    new = service.store.create_key(KeySettings(name="counted", quota=100))
    auth = (new.api_key, new.api_secret)
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    assert envelope(service.post(params=FILE, files=files, auth=auth))["errorCode"] == "0"
    copy = tmp_path / "copy.db"
    backup(f"sqlite:///{path}", copy)
    for file in path.parent.glob(path.name + "*"):
        file.unlink()
    is_503(service, envelope, astronaut_jpeg, auth)
    until(lambda: ready(service) == (503, "the database file is gone"))
    assert list(path.parent.iterdir()) == []
    # An empty database in its place has no keys; no client learns that its key is wrong.
    path.write_bytes(b"")
    until(lambda: ready(service) == (503, "the database file was replaced by another database"))
    is_503(service, envelope, astronaut_jpeg, auth)
    path.unlink()
    shutil.copy(copy, path)
    until(lambda: ready(service) == (200, None))
    until(lambda: service.post(params=FILE, files=files, auth=auth).status_code == 200)
    assert service.store.usage(new.api_key).total == 2


@pytest.mark.usefixtures("short_pauses")
def test_a_database_that_is_locked_when_the_work_is_done(
    start: Callable[..., Any], matcher: Any, envelope: Callable[..., Any], astronaut_jpeg: bytes
) -> None:
    """The reply is not sent; an error stays the same error, and the reservation expires by itself."""
    from facematch_local.errors import ImageFormatError

    stack = contextlib.ExitStack()

    class Locking:
        pack, policy = matcher.pack, matcher.policy
        fail = False

        def match(self, image1: bytes, image2: bytes, type1: Any = "card") -> Any:
            result = matcher.match(image1, image2, type1)
            stack.enter_context(locked(database))
            if self.fail:
                raise ImageFormatError("broken")
            return result

    locking = Locking()
    service = start(matcher=locking, database_seconds=0.3)
    database = Path(str(make_url(service.app.state.services.settings.store_url).database))
    new = service.store.create_key(KeySettings(name="counted", quota=100))
    auth = (new.api_key, new.api_secret)
    is_503(service, envelope, astronaut_jpeg, auth)
    stack.close()
    until(lambda: ready(service) == (200, None))
    locking.fail = True
    begun = time.monotonic()
    response = service.post(params=FILE, files={"img1": astronaut_jpeg, "img2": astronaut_jpeg}, auth=auth)
    assert time.monotonic() - begun < SOON
    assert envelope(response)["errorCode"] == "3"
    stack.close()
    assert service.store.usage(new.api_key).total == 0


def test_readiness_costs_next_to_nothing_however_often_it_is_asked(
    service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    ping = service.store.ping
    monkeypatch.setattr(service.store, "ping", lambda until: (asked.append(until), ping(until))[1])
    begun = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(lambda _: ready(service), range(60))) == {(200, None)}
    assert len(asked) <= time.monotonic() - begun + 2


@pytest.mark.usefixtures("short_pauses")
def test_a_database_that_never_answers_a_probe(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop serves on, and the probe is given up."""
    import threading

    gate = threading.Event()
    monkeypatch.setattr(service.store, "ping", lambda _: gate.wait(60))
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(ready, service) for _ in range(3)]
        begun = time.monotonic()
        assert service.get("/healthz").status_code == 200
        assert time.monotonic() - begun < 2
        for one in asked:
            assert one.result() == (503, "the database does not answer in time")
    gate.set()
    monkeypatch.undo()
    until(lambda: ready(service) == (200, None))
