"""Databases that are locked, deleted, replaced, full or gone: reported soon, never hidden, used again once back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from facematch_server.store import ApiKey, KeySettings, Period, Store, UnavailableError, Why, backup, outage, restore
from facematch_server.store.outage import Outage

ONLY_SQLITE = pytest.mark.parametrize("empty_database", ["sqlite"], indirect=True)
ONLY_POSTGRES = pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True)

LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


def soon(seconds: float = 0.4) -> float:
    return time.monotonic() + seconds


@pytest.fixture
def path(empty_database: str) -> Path:
    return Path(str(make_url(empty_database).database))


@pytest.fixture
def shop(database_url: str) -> Iterator[Store]:
    """A store with the real clock."""
    with closing(Store.open(database_url)) as store:
        yield store


@pytest.fixture
def key(shop: Store) -> ApiKey:
    new = shop.create_key(KeySettings("counted", quota=100))
    key = shop.authenticate(new.api_key, new.api_secret)
    assert key is not None
    return key


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process holds the write lock."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", LOCKER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "locked\n"
        yield
    finally:
        process.communicate("\n")


def count_one(store: Store, key: ApiKey) -> None:
    reservation = store.reserve(key, 60, soon(2))
    assert reservation is not None
    assert store.commit(reservation, soon(2))


def why_not(action: Callable[[], object]) -> Why:
    with pytest.raises(UnavailableError) as raised:
        action()
    return raised.value.why


def works_again(store: Store, key: ApiKey) -> None:
    """Within a few seconds, without an operator."""
    end = time.monotonic() + 20
    while True:
        try:
            count_one(store, key)
        except UnavailableError:
            assert time.monotonic() < end
            time.sleep(0.1)
        else:
            store.ping(soon(2))
            return


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
def test_a_deleted_file_ends_admission_until_it_is_back(shop: Store, key: ApiKey, path: Path, tmp_path: Path) -> None:
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


# -- clocks ----------------------------------------------------------------------------------------------


def test_a_reservation_of_a_clock_far_ahead_blocks_nobody(store: Store, clock: Any) -> None:
    new = store.create_key(KeySettings(quota=1))
    key = store.authenticate(new.api_key, new.api_secret)
    assert key
    right = clock.now
    clock.forward(days=365)
    ahead = store.reserve(key, 60)
    assert ahead
    clock.now = right
    assert store.usage(key.api_key).reserved == 0
    now = store.reserve(key, 60)
    assert now
    assert store.commit(now)
    assert not store.commit(ahead)  # its place was given to another
    assert store.usage(key.api_key).total == 1


def test_a_clock_put_back_a_little_leaves_requests_under_way_alone(store: Store, clock: Any) -> None:
    new = store.create_key(KeySettings(quota=1))
    key = store.authenticate(new.api_key, new.api_secret)
    assert key
    held = store.reserve(key, 60)
    assert held
    clock.forward(minutes=-30)
    assert store.reserve(key, 60) is None
    assert store.commit(held)


@pytest.mark.parametrize("period", [Period.DAY, Period.MONTH])
def test_what_a_clock_far_ahead_counted_counts_then(store: Store, clock: Any, period: Period) -> None:
    new = store.create_key(KeySettings(quota=1, period=period))
    key = store.authenticate(new.api_key, new.api_secret)
    assert key
    right = clock.now
    clock.forward(days=365)
    ahead = store.reserve(key, 60)
    assert ahead
    assert store.commit(ahead)
    clock.now = right
    now = store.reserve(key, 60)
    assert now
    assert store.commit(now)
    usage = store.usage(key.api_key)
    assert (usage.today, usage.total) == (1, 2)


def test_no_reservation_lasts_for_more_than_an_hour(store: Store, clock: Any) -> None:
    new = store.create_key(KeySettings(quota=1))
    key = store.authenticate(new.api_key, new.api_secret)
    assert key
    assert store.reserve(key, 10**6)
    clock.forward(hours=1, seconds=1)
    assert store.reserve(key, 60)


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


def test_an_outage_lets_one_try_at_a_time() -> None:
    now = 0.0
    outage = Outage(lambda: now)
    outage.check()
    outage.begins(UnavailableError("x", Why.LOCKED))
    for _ in range(3):
        assert why_not(outage.check) is Why.LOCKED
    now = 1.5
    outage.check()
    assert why_not(outage.check) is Why.LOCKED
    outage.ends()
    outage.check()


# -- PostgreSQL ------------------------------------------------------------------------------------------


@pytest.mark.slow
@ONLY_POSTGRES
def test_a_server_that_stops_and_comes_back(shop: Store, key: ApiKey, postgres: Any) -> None:
    count_one(shop, key)
    held = shop.reserve(key, 60)
    assert held
    postgres.stop()
    try:
        begun = time.monotonic()
        assert why_not(lambda: shop.look_up(key.api_key, "x", soon(2))) is Why.UNREACHABLE
        assert why_not(lambda: shop.reserve(key, 60, soon(2))) is Why.UNREACHABLE
        assert why_not(lambda: shop.commit(held, soon(2))) is Why.UNREACHABLE
        assert why_not(lambda: shop.ping(soon(2))) is Why.UNREACHABLE
        assert time.monotonic() - begun < 10
    finally:
        postgres.start()
    works_again(shop, key)
    assert shop.commit(held, soon(2))
    assert shop.usage(key.api_key).total == 3


@pytest.mark.slow
@ONLY_POSTGRES
def test_a_table_that_is_locked(shop: Store, key: ApiKey, database_url: str) -> None:
    held = shop.reserve(key, 60)
    assert held
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE usage, reservations IN ACCESS EXCLUSIVE MODE"))
        begun = time.monotonic()
        assert why_not(lambda: shop.commit(held, soon())) in (Why.LOCKED, Why.SLOW)
        assert 0.3 < time.monotonic() - begun < 3
        assert why_not(lambda: shop.ping(soon())) in (Why.LOCKED, Why.SLOW)
    engine.dispose()
    assert shop.commit(held, soon(2))
    works_again(shop, key)


@pytest.mark.slow
@ONLY_POSTGRES
def test_a_server_that_only_reads(shop: Store, key: ApiKey, database_url: str) -> None:
    """As after a failover to a standby."""
    name = make_url(database_url).database
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        shop._sessions._engine.dispose()
        assert why_not(lambda: shop.ping(soon(2))) is Why.READ_ONLY
        assert why_not(lambda: shop.reserve(key, 60, soon(2))) is Why.READ_ONLY
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
        shop._sessions._engine.dispose()
    engine.dispose()
    works_again(shop, key)


@pytest.mark.slow
@ONLY_POSTGRES
def test_a_server_that_hangs(shop: Store, key: ApiKey, postgres: Any) -> None:
    """The server stops with open connections: every request still gets its reply in time."""
    import asyncio

    from facematch_server.access.gatekeeper import Gatekeeper

    new = shop.create_key(KeySettings("asks"))
    gatekeeper = Gatekeeper(shop, ttl_seconds=60, database_seconds=0.5)
    import base64

    header = "Basic " + base64.b64encode(f"{new.api_key}:{new.api_secret}".encode()).decode()

    async def ask() -> float:
        begun = time.monotonic()
        async with gatekeeper.admit(header, deadline=begun + 5) as admission:
            await admission.commit()
        return time.monotonic() - begun

    async def refused() -> float:
        begun = time.monotonic()
        with pytest.raises(UnavailableError):
            await ask()
        return time.monotonic() - begun

    async def scenario() -> None:
        await ask()
        stopped = postgres.processes()
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        try:
            waits = await asyncio.gather(*(refused() for _ in range(30)))
            assert max(waits) < 3
        finally:
            for process in stopped:
                os.kill(process, signal.SIGCONT)
        end = time.monotonic() + 30
        while True:
            try:
                await ask()
                return
            except UnavailableError:
                assert time.monotonic() < end
                await asyncio.sleep(0.2)

    try:
        asyncio.run(scenario())
    finally:
        gatekeeper.close()
    assert shop.usage(new.api_key).total >= 2
