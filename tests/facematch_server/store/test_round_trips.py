"""How often a request waits for an answer of PostgreSQL, counted on the wire."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from facematch_server.access.gatekeeper import Gatekeeper
from facematch_server.store import ApiKey, KeyPair, KeySettings, NewKey, Store, logins

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True),
]

# The driver sends it after the end of a pipeline. It asks for nothing new, and nobody waits for an answer to it.
FLUSH = b"H\0\0\0\4"


class CountingProxy:
    """Stands between clients and a server on a Unix socket.

    Attributes:
        turns: how often a client spoke first, or after the server had spoken: the round trips.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        self.turns = 0
        self._lock = threading.Lock()
        self._server = server
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(folder / server.name))
        self._socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                server.connect(str(self._server))
                last = [server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=(*pair, client, last), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, client: socket.socket, last: list[Any]) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if data != FLUSH:
                    with self._lock:
                        self.turns += source is client and last[0] is not client
                        last[0] = source
                target.sendall(data)
        for sock in (source, target):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def proxy(postgres: Any) -> Iterator[CountingProxy]:
    folder = Path(tempfile.mkdtemp(prefix="fm-"))  # a short path: Unix sockets allow no long one
    if postgres.programs is None:
        pytest.skip("the server of FACEMATCH_TEST_POSTGRES has no socket here")
    with closing(CountingProxy(folder, postgres.folder / ".s.PGSQL.5432")) as proxy:
        proxy.folder = folder  # type: ignore[attr-defined]
        yield proxy
    shutil.rmtree(folder)


@pytest.fixture
def through(proxy: Any, database_url: str) -> Iterator[Store]:
    """A store whose connections pass the proxy."""
    url = make_url(database_url).update_query_dict({"host": str(proxy.folder)})
    with closing(Store.open(url.render_as_string(hide_password=False))) as store:
        yield store


def turns_of(proxy: CountingProxy, action: Callable[[], Any]) -> tuple[int, Any]:
    before = proxy.turns
    outcome = action()
    return proxy.turns - before, outcome


def logged_in(store: Store, new: NewKey) -> ApiKey:
    key = store.authenticate(new.api_key, new.api_secret)
    assert key is not None
    return key


@pytest.mark.parametrize("times", [1, 12])  # the driver prepares statements after five uses
def test_each_call_of_a_request_is_one_round_trip(proxy: CountingProxy, through: Store, times: int) -> None:
    new = through.create_key(KeySettings(quota=100))
    logged_in(through, new)
    for _ in range(times):
        turns, login = turns_of(proxy, lambda: through.look_up(new.api_key, new.api_secret))
        assert (turns, login.key) == (1, new.key)
        known = through.recall(new.api_key, new.api_secret)
        assert known is not None
        turns, admitted = turns_of(proxy, lambda known=known: through.admit(known, 60))
        assert turns == 1
        assert turns_of(proxy, lambda admitted=admitted: through.commit(admitted.reservation)) == (1, True)
        turns, reservation = turns_of(proxy, lambda: through.reserve(new.key, 60))
        assert turns == 1
        assert turns_of(proxy, lambda reservation=reservation: through.release(reservation)) == (1, None)
    usage = through.usage(new.api_key)
    assert (usage.total, usage.reserved) == (times, 0)


@pytest.mark.parametrize(("seconds", "later"), [(60.0, 1), (0.0, 2)])
def test_a_refusal_is_one_and_one_more_every_few_seconds(
    proxy: CountingProxy, through: Store, monkeypatch: pytest.MonkeyPatch, seconds: float, later: int
) -> None:
    """The second one asks whether any refusal costs a slow hash."""
    monkeypatch.setattr(logins, "_SLOW_KEYS_SECONDS", seconds)
    new = through.create_key()
    through.import_keys([KeyPair("imported", "secret")])
    logged_in(through, new)
    for expected, api_key in ((2, "unknown"), (later, new.api_key), (later, "unknown"), (later, "imported")):
        turns, login = turns_of(proxy, lambda api_key=api_key: through.look_up(api_key, "wrong"))
        assert (turns, login.key, login.slow) == (expected, None, True)


def requests(store: Store, new: NewKey, times: int, each: Callable[[], None]) -> None:
    """Admit and commit requests as the service does."""
    header = "Basic " + base64.b64encode(f"{new.api_key}:{new.api_secret}".encode()).decode()

    async def scenario() -> None:
        gatekeeper = Gatekeeper(store, ttl_seconds=60)
        try:
            for _ in range(times):
                async with gatekeeper.admit(header) as admission:
                    await admission.commit()
                each()
        finally:
            gatekeeper.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("quota", [100, None])
@pytest.mark.parametrize("imported", [False, True])
def test_a_request_is_two_round_trips(proxy: CountingProxy, through: Store, quota: int | None, imported: bool) -> None:
    """One to admit it and one to count it; the first of a process looks the key up too, and opens connections."""
    settings = KeySettings(quota=quota)
    if imported:
        through.import_keys([KeyPair("imported", "secret", settings)])
        new = NewKey(through.list_keys()[0], "secret")
    else:
        new = through.create_key(settings)
    turns: list[int] = []
    requests(through, new, 30, lambda: turns.append(proxy.turns))
    # Each thread opens its connection with its first job; then all of them are open.
    assert {after - before for before, after in itertools.pairwise(turns[15:])} == {2}
    assert through.usage(new.api_key).total == 30
