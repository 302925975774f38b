"""One key, or one address, does not starve the others: slots, threads and slow logins, over real sockets."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import pytest

from facematch_server.store import KeyPair, KeySettings

V2 = "/api/v2/ekyc/face_matching"
FILE = {"format_type": "file"}


def silent_body(service: Any, stack: ExitStack, auth: tuple[str, str]) -> socket.socket:
    """A request whose body never comes."""
    basic = base64.b64encode(":".join(auth).encode()).decode()
    sock = stack.enter_context(closing(socket.create_connection(("127.0.0.1", service.port), timeout=20)))
    head = f"POST {V2}?format_type=file HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nAuthorization: Basic {basic}"
    sock.sendall(f"{head}\r\n\r\n".encode())
    return sock


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def new_key(service: Any, name: str) -> tuple[str, str]:
    new = service.store.create_key(KeySettings(name=name, quota=100))
    return new.api_key, new.api_secret


def test_silent_bodies_of_one_key_leave_room_for_another(
    start: Callable[..., Any], envelope: Callable[..., Any], astronaut_jpeg: bytes
) -> None:
    service = start(threads=1, queue_size=5, body_seconds=60, deadline_seconds=60)
    pool = service.app.state.services.pool
    greedy, other = new_key(service, "greedy"), new_key(service, "other")
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    with ExitStack() as stack:
        socks = []
        for number in range(6):  # alone, a key may hold all slots
            socks.append(silent_body(service, stack, greedy))
            until(lambda number=number: pool.in_flight == number + 1)
        response = service.post(params=FILE, files=files, auth=greedy)
        assert (response.status_code, envelope(response)["errorCode"]) == (503, "503")
        for _ in range(3):
            response = service.post(params=FILE, files=files, auth=other)
            assert envelope(response)["errorCode"] == "0"
        # The newest of the silent requests lost its slot, and got a reply.
        answer = socks[-1].recv(65536)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after" in answer
        assert pool.in_flight == 5
        # The other key can hold half of the slots against the first one, and no more.
        for number in range(3):
            silent_body(service, stack, other)
            until(lambda number=number: pool.in_flight == min(6, 5 + number + 1))
        until(lambda: Counter(slot.key for slot in list(pool._holders)).most_common() == [("2", 3), ("3", 3)])
        assert service.post(params=FILE, files=files, auth=other).status_code == 503
    until(lambda: pool.in_flight == 0)
    for auth in (greedy, other):
        until(lambda auth=auth: service.store.usage(auth[0]).reserved == 0)
    assert service.store.usage(greedy[0]).total == 0


def test_a_key_may_be_given_less_than_all(start: Callable[..., Any]) -> None:
    service = start(threads=1, queue_size=5, body_seconds=60, key_share=0.5)
    pool = service.app.state.services.pool
    greedy = new_key(service, "greedy")
    with ExitStack() as stack:
        for number in range(3):
            silent_body(service, stack, greedy)
            until(lambda number=number: pool.in_flight == number + 1)
        assert silent_body(service, stack, greedy).recv(65536).startswith(b"HTTP/1.1 503 ")
        assert pool.in_flight == 3


class Gated:
    """A matcher whose matches wait for a gate, and are noted."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher
        self.pack, self.policy = matcher.pack, matcher.policy
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.order: list[bytes] = []

    def match(self, image1: bytes, image2: bytes, type1: Any = "card") -> Any:
        self.order.append(image1[-1:])
        self.entered.release()
        self.gate.wait(100)
        return self._matcher.match(image1, image2, type1)


@pytest.fixture
def gated(matcher: Any) -> Iterator[Gated]:
    gated = Gated(matcher)
    yield gated
    gated.gate.set()


def test_keys_take_turns_for_the_threads(
    start: Callable[..., Any], gated: Gated, envelope: Callable[..., Any], astronaut_jpeg: bytes
) -> None:
    """A key with many requests delays itself only: the request of another key is next."""
    service = start(matcher=gated, threads=1, queue_size=8, deadline_seconds=100)
    pool = service.app.state.services.pool
    greedy, other = new_key(service, "greedy"), new_key(service, "other")

    def send(auth: tuple[str, str], mark: bytes) -> str:
        files = {"img1": astronaut_jpeg + mark, "img2": astronaut_jpeg}
        return str(envelope(service.post(params=FILE, files=files, auth=auth))["errorCode"])

    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(send, greedy, b"g") for _ in range(6)]
        assert gated.entered.acquire(timeout=20)
        until(lambda: pool.queued == 5)
        answers.append(threads.submit(send, other, b"o"))
        until(lambda: pool.queued == 6)
        gated.gate.set()
        assert [answer.result() for answer in answers] == ["0"] * 7
    assert gated.order == [b"g", b"o", *[b"g"] * 5]


HASH_SECONDS = 0.25


@pytest.fixture
def slow_hashes(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Slow hashing takes a quarter of a second; when each ended."""
    from facematch_server.store import hashing

    scrypt = hashing._scrypt
    ended: list[float] = []

    def slow(*arguments: Any) -> bytes:
        time.sleep(HASH_SECONDS)
        digest = scrypt(*arguments)
        ended.append(time.monotonic())
        return digest

    monkeypatch.setattr(hashing, "_scrypt", slow)
    return ended


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["one key", "invented keys"])
def test_a_hundred_wrong_logins_at_once(
    start: Callable[..., Any],
    envelope: Callable[..., Any],
    slow_hashes: list[float],
    wrong: str,
) -> None:
    """All are answered soon, and neither a key made here nor another imported one waits for them."""
    service = start(deadline_seconds=60)
    service.store.import_keys([KeyPair("moved-1", "secret-1")])
    service.store.import_keys([KeyPair("moved-2", "secret-2")])
    slow_hashes.clear()
    url = {"format_type": "url"}  # errorCode 6 shows that the key was admitted: no photo is needed

    def log_in(number: int) -> tuple[int, str]:
        api_key = "moved-1" if wrong == "one key" else f"nobody-{number}"
        response = service.post(params=url, auth=(api_key, f"wrong-{number}"))
        return response.status_code, envelope(response)["errorCode"]

    begun = time.monotonic()
    with ThreadPoolExecutor(100) as threads:
        answers = [threads.submit(log_in, number) for number in range(100)]
        until(lambda: len(slow_hashes) >= 2)
        asked, hashed = time.monotonic(), len(slow_hashes)
        assert envelope(service.post(params=url))["errorCode"] == "6"  # a key made here
        assert len(slow_hashes) - hashed <= 8
        assert time.monotonic() - asked < 10 * HASH_SECONDS
        if wrong == "one key":
            hashed = len(slow_hashes)
            assert envelope(service.post(params=url, auth=("moved-2", "secret-2")))["errorCode"] == "6"
            assert len(slow_hashes) - hashed <= 8  # two that run, its own, and those that arrived beside it
        results = Counter(answer.result() for answer in answers)
    assert set(results) == {(200, "5"), (503, "503")}
    assert sum(results.values()) == 100
    assert len(slow_hashes) < 60  # 100 wrong ones were not hashed one after the other
    assert time.monotonic() - begun < 20
    # The imported key's own client is let in, and then known without hashing.
    until(lambda: envelope(service.post(params=url, auth=("moved-1", "secret-1")))["errorCode"] == "6")
    hashed = len(slow_hashes)
    assert envelope(service.post(params=url, auth=("moved-1", "secret-1")))["errorCode"] == "6"
    assert len(slow_hashes) == hashed


def test_a_client_that_starts_with_many_requests_is_hashed_once(
    start: Callable[..., Any], envelope: Callable[..., Any], slow_hashes: list[float]
) -> None:
    service = start(deadline_seconds=60)
    service.store.import_keys([KeyPair("moved-1", "secret-1")])
    slow_hashes.clear()

    def log_in(_: int) -> str:
        response = service.post(params={"format_type": "url"}, auth=("moved-1", "secret-1"))
        return str(envelope(response)["errorCode"])

    with ThreadPoolExecutor(30) as threads:
        assert set(threads.map(log_in, range(30))) == {"6"}
    assert len(slow_hashes) <= 2


def test_a_deadline_covers_admission(
    start: Callable[..., Any], envelope: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start(deadline_seconds=0.5)
    limited = new_key(service, "limited")  # a key without a quota needs no database here
    gate = threading.Event()
    monkeypatch.setattr(service.store, "reserve", lambda *_: gate.wait(60))
    try:
        begun = time.monotonic()
        response = service.post(params=FILE, auth=limited)
        assert time.monotonic() - begun < 5
        assert (response.status_code, envelope(response)["errorCode"]) == (503, "503")
    finally:
        gate.set()
