"""Databases that are locked, deleted, replaced, full or gone: reported soon, never hidden, used again once back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from facematch_server.store import ApiKey, KeySettings, Store, UnavailableError, Why, backup, outage, restore
from facematch_server.store.outage import Outage
from tests.facematch_server.store.outage_steps import (
    ONLY_SQLITE,
    count_one,
    locked,
    soon,
    why_not,
    works_again,
)


@ONLY_SQLITE
def test_a_locked_database_is_waited_for_once_and_not_for_long(shop: Store, key: ApiKey, path: Path) -> None:
    held = shop.reserve(key, 60)
    assert held
    with locked(path):
        begun = time.monotonic()
        assert why_not(lambda: shop.reserve(key, 60, soon())) is Why.LOCKED
        assert 0.3 < time.monotonic() - begun < 5
        # The next requests fail at once, although their limit is a minute.
        begun = time.monotonic()
        for _ in range(20):
            assert why_not(lambda: shop.reserve(key, 60, soon(60))) is Why.LOCKED
            assert why_not(lambda: shop.release(held, soon(60))) is Why.LOCKED
            if time.monotonic() - begun > 0.5:
                break
        assert time.monotonic() - begun < 5
        # Reading needs no lock, so a wrong secret is recognised.
        assert shop.look_up(key.api_key, "wrong", soon()).key is None
        assert why_not(lambda: shop.ping(soon())) is Why.LOCKED
        # Finished work is worth a try in any case, and may be tried again.
        assert why_not(lambda: shop.commit(held, soon())) is Why.LOCKED
    assert shop.commit(held, soon(10))
    works_again(shop, key)
    assert shop.usage(key.api_key).total == 2


@ONLY_SQLITE
def test_a_thread_that_hangs_in_the_database_holds_no_other_up(shop: Store, key: ApiKey) -> None:
    writing = shop._sessions.write()
    with ThreadPoolExecutor(8) as threads, writing:
        begun = time.monotonic()
        waits = threads.map(lambda _: why_not(lambda: shop.reserve(key, 60, soon())), range(8))
        assert list(waits) == [Why.LOCKED] * 8
        assert time.monotonic() - begun < 2.5  # eight times 0.4 one after the other would be 3.2


@ONLY_SQLITE
def test_a_deleted_file_ends_admission_until_it_is_back(
    shop: Store, key: ApiKey, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "_PAUSE_SECONDS", 0.2)
    count_one(shop, key)
    held = shop.reserve(key, 60)
    assert held
    aside = tmp_path / "aside.db"
    path.rename(aside)
    for action in (
        lambda: shop.look_up(key.api_key, "x", soon()),
        lambda: shop.reserve(key, 60, soon()),
        lambda: shop.commit(held, soon()),
        lambda: shop.ping(soon()),
        lambda: shop.list_keys(),
    ):
        assert why_not(action) is Why.GONE
    assert not path.exists()
    aside.rename(path)
    works_again(shop, key)
    assert shop.commit(held, soon(2))
    assert shop.usage(key.api_key).total == 3


@ONLY_SQLITE
@pytest.mark.parametrize("other", ["empty", "another database", "the journal's", "no database"])
def test_nothing_else_takes_the_place_of_a_deleted_file(
    shop: Store, key: ApiKey, path: Path, tmp_path: Path, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "_PAUSE_SECONDS", 0.1)
    count_one(shop, key)
    copy = tmp_path / "copy.db"
    backup(f"sqlite:///{path}", copy)
    path.unlink()
    if other != "the journal's":
        for name in ("-wal", "-shm"):
            path.with_name(path.name + name).unlink()
    if other == "another database":
        with closing(Store.open(f"sqlite:///{path}")) as fresh:
            fresh.create_key(KeySettings("somebody else's"))
    elif other == "the journal's":
        shutil.copy(copy, path)
    else:
        path.write_bytes(b"" if other == "empty" else b"\xff\xd8" * 5000)
    expected = Why.STALE_JOURNAL if other == "the journal's" else Why.REPLACED
    # The key is neither refused nor counted: its state is unknown.
    assert why_not(lambda: shop.look_up(key.api_key, "x", soon())) is expected
    time.sleep(0.15)
    assert why_not(lambda: shop.reserve(key, 60, soon())) is expected
    assert why_not(lambda: shop.ping(soon())) is expected
    # With the right file in its place all is well.
    for name in ("", "-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    shutil.copy(copy, path)
    works_again(shop, key)
    assert shop.usage(key.api_key).total == 2


@ONLY_SQLITE
def test_a_restored_backup_is_taken_without_a_restart(shop: Store, key: ApiKey, path: Path, tmp_path: Path) -> None:
    count_one(shop, key)
    copy = tmp_path / "copy.db"
    backup(f"sqlite:///{path}", copy)
    count_one(shop, key)
    held = shop.reserve(key, 60)
    assert held
    restore(f"sqlite:///{path}", copy)  # into the file itself
    assert shop.usage(key.api_key).total == 1
    assert not shop.commit(held, soon(2))  # the place it held is not in the backup
    count_one(shop, key)
    assert shop.usage(key.api_key).total == 2


@ONLY_SQLITE
def test_counts_survive_a_deleted_journal(shop: Store, key: ApiKey, path: Path) -> None:
    for _ in range(5):
        count_one(shop, key)
    with shop._sessions.read(), shop._sessions.read(), shop._sessions.read():
        pass  # three connections, as under load: none of them is the last one, whose end would save the counts
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink()
    works_again(shop, key)
    shop.close()
    with closing(Store.open(f"sqlite:///{path}")) as again:
        assert again.usage(key.api_key).total == 6


@ONLY_SQLITE
def test_no_database_is_made_beside_the_journal_of_one_that_is_gone(shop: Store, key: ApiKey, path: Path) -> None:
    count_one(shop, key)
    path.unlink()
    with pytest.raises(UnavailableError, match=r"its journal .* is still there"):
        Store.open(f"sqlite:///{path}")
    assert not path.exists()


DISK_FULL = """
import resource, sys, time
from pathlib import Path
from facematch_server.store import KeySettings, Store, UnavailableError
folder, way = Path(sys.argv[1]), sys.argv[2]
filler = folder / "filler"
store = Store.open(f"sqlite:///{folder / 'store.db'}")
new = store.create_key(KeySettings(quota=10**6))
key = store.authenticate(new.api_key, new.api_secret)
if way == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
else:
    try:
        filler.write_bytes(bytes(100 * 2**20))
    except OSError:
        pass
done = 0
try:
    while done < 20000:
        if store.commit(store.reserve(key, 60, time.monotonic() + 2), time.monotonic() + 2):
            done += 1
except UnavailableError as error:
    print(error.why.name, flush=True)
try:
    store.ping(time.monotonic() + 2)
    print("well", flush=True)
except UnavailableError as error:
    print(error.why.name, flush=True)
sys.stdin.readline()
if way == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
else:
    filler.unlink()
time.sleep(1.1)
store.ping(time.monotonic() + 2)
if store.commit(store.reserve(key, 60, time.monotonic() + 2), time.monotonic() + 2):
    done += 1
print(done == store.usage(new.api_key).total, flush=True)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607


@pytest.mark.slow
@pytest.mark.parametrize("way", ["limit", "disk"])
def test_a_full_disk(way: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Reported by the failing call and by the probe; counts stay, and counting continues once the disk has room."""
    folder = request.getfixturevalue("small_disk") if way == "disk" else tmp_path
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", DISK_FULL, str(folder), way],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == ("FULL\n" if way == "disk" else "IO_ERROR\n")
        assert process.stdout.readline() == ("FULL\n" if way == "disk" else "IO_ERROR\n")
        output, _ = process.communicate("\n", timeout=60)
        assert output == "True\n"
    finally:
        process.kill()
        process.wait()


@ONLY_SQLITE
def test_one_transaction_that_fails_stops_no_other(shop: Store, key: ApiKey) -> None:
    with pytest.raises(UnavailableError), shop._sessions.write(soon()) as session:
        session.execute(text("INSERT INTO reservations (id) VALUES ('x')"))  # breaks a rule of the table
    count_one(shop, key)


def test_the_probe_leaves_nothing_behind(store: Store, database_url: str) -> None:
    store.ping()  # without any key
    new = store.create_key(KeySettings(quota=1))
    store.ping()
    usage = store.usage(new.api_key)
    assert (usage.reserved, usage.total, usage.remaining) == (0, 0, 1)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM reservations")).scalar() == 0
    engine.dispose()


def test_a_key_without_a_quota_leaves_the_trial_to_one_that_needs_the_database(shop: Store, key: ApiKey) -> None:
    new = shop.create_key(KeySettings())
    free = shop.authenticate(new.api_key, new.api_secret)
    assert free is not None
    now = 0.0
    shop._sessions.writing = Outage(lambda: now)
    shop._sessions.writing.begins(UnavailableError("x", Why.LOCKED))
    assert why_not(lambda: shop.reserve(free, 60)) is Why.LOCKED
    now = 1.5
    assert shop.reserve(free, 60)
    assert shop.reserve(key, 60)
