"""Limits on slow, endless, aborted and too many requests, over real sockets."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from facematch_server.store import KeySettings

V2 = "/api/v2/ekyc/face_matching"
FILE = {"format_type": "file"}


class SlowMatcher:
    """A matcher whose matches wait for a gate; everything around it is the real service."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)

    @property
    def pack(self) -> Any:
        return self._matcher.pack

    @property
    def policy(self) -> Any:
        return self._matcher.policy

    def match(self, image1: bytes, image2: bytes, type1: Any = "card") -> Any:
        self.entered.release()
        self.gate.wait(100)
        return self._matcher.match(image1, image2, type1)


@pytest.fixture(scope="module")
def strict(start: Callable[..., Any]) -> Any:
    """A service that is short of patience."""
    return start(header_seconds=0.5, body_seconds=0.5, keep_alive_seconds=1, max_image_bytes=200_000)


@pytest.fixture
def stuck(matcher: Any) -> Iterator[SlowMatcher]:
    """A matcher that waits, at the latest until the test ends."""
    stuck = SlowMatcher(matcher)
    yield stuck
    stuck.gate.set()


def head(live: Any, *lines: str, method: str = "POST", query: str = "format_type=file") -> bytes:
    first = [f"{method} {V2}?{query} HTTP/1.1", "Host: x", f"Authorization: {live.basic}"]
    return "\r\n".join([*first, *lines, "", ""]).encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def content_of(answer: bytes) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return content


def alive(live: Any) -> bool:
    return bool(live.get("/healthz", timeout=10).status_code == 200)


@pytest.mark.parametrize("start_of_head", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_end_is_cut_off(strict: Any, start_of_head: bytes) -> None:
    with closing(socket.create_connection(("127.0.0.1", strict.port), timeout=20)) as sock:
        sock.sendall(start_of_head)
        assert sock.recv(1000) == b""
    assert alive(strict)


def test_a_head_that_trickles_is_cut_off(strict: Any) -> None:
    """Each byte in time, the whole not: the clock is not wound up again."""
    with closing(socket.create_connection(("127.0.0.1", strict.port), timeout=20)) as sock:
        begun = time.monotonic()
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                sock.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() - begun < 9


def test_a_body_that_stops_half_way_is_answered_408(strict: Any) -> None:
    answer = strict.raw(head(strict, "Content-Length: 1000"), b"--b\r\n")
    assert status_of(answer) == 408
    assert content_of(answer)["errorCode"] == "408"
    assert b"connection: close" in answer.lower()


def test_a_chunked_body_that_trickles_is_answered_408(strict: Any) -> None:
    with closing(socket.create_connection(("127.0.0.1", strict.port), timeout=20)) as sock:
        sock.sendall(head(strict, "Transfer-Encoding: chunked"))
        answer = b""
        sock.settimeout(0.05)
        for _ in range(200):
            with contextlib.suppress(TimeoutError):
                answer += sock.recv(65536)
            if answer:
                break
            sock.sendall(b"1\r\nx\r\n")
        assert status_of(answer) == 408


def test_a_client_that_leaves_in_mid_body_costs_nothing(strict: Any) -> None:
    for _ in range(5):
        with closing(socket.create_connection(("127.0.0.1", strict.port), timeout=20)) as sock:
            sock.sendall(head(strict, "Content-Length: 1000") + b"half")
    services = strict.app.state.services
    until(lambda: services.pool.in_flight == 0)
    assert alive(strict)


@pytest.mark.parametrize("how", ["stated", "chunked", "understated"])
def test_a_body_over_the_limit_is_not_kept(strict: Any, how: str) -> None:
    size = 5_000_000
    if how == "chunked":
        pieces = [head(strict, "Transfer-Encoding: chunked", "Connection: close")]
        pieces += [b"10000\r\n" + bytes(0x10000) + b"\r\n"] * (size // 0x10000) + [b"0\r\n\r\n"]
    else:
        stated = size if how == "stated" else 10
        pieces = [head(strict, f"Content-Length: {stated}", "Connection: close"), bytes(size)]
    answer = strict.raw(*pieces)
    if how == "understated":
        # The bytes after the stated length are not a request; the first request gets its own reply.
        assert answer.startswith(b"HTTP/1.1 ")
        assert status_of(answer) < 500
    else:
        assert status_of(answer) == 200
        assert content_of(answer)["errorCode"] == "3"
    assert alive(strict)


def test_an_endless_body_after_the_reply_is_cut_off(strict: Any) -> None:
    with closing(socket.create_connection(("127.0.0.1", strict.port), timeout=20)) as sock:
        sock.sendall(head(strict, "Transfer-Encoding: chunked", query="format_type=url"))
        begun = time.monotonic()
        cut = False
        while not cut and time.monotonic() - begun < 15:
            try:
                sock.sendall(b"1\r\nx\r\n")
                time.sleep(0.02)
            except ConnectionError:
                cut = True
        assert cut


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),  # TLS on the plain port
        b"GET /nowhere HTTP/9.9\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /nowhere HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(strict: Any, data: bytes) -> None:
    answer = strict.raw(data, seconds=3)
    if data.strip():
        assert status_of(answer) in (400, 404, 431)
        assert b"content-type: application/json\r\n" in answer.lower()
        content = content_of(answer)
        assert content == {"data": None, "errorCode": str(status_of(answer)), "errorMessage": content["errorMessage"]}
    assert alive(strict)


def test_too_many_connections(start: Callable[..., Any]) -> None:
    few = start(max_connections=3)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            sock = stack.enter_context(closing(socket.create_connection(("127.0.0.1", few.port), timeout=20)))
            sock.sendall(b"GET")
        time.sleep(0.1)
        answer = few.raw(b"")
        assert status_of(answer) == 503
        assert content_of(answer)["errorCode"] == "503"
        assert b"retry-after" in answer
    until(lambda: alive(few))


def test_overload(
    start: Callable[..., Any], stuck: SlowMatcher, astronaut_jpeg: bytes, envelope: Callable[..., Any]
) -> None:
    """One runs, one waits, the others are turned away at once and none is counted; then all is well again."""
    live = start(matcher=stuck, threads=1, queue_size=1, deadline_seconds=100)
    key = live.store.create_key(KeySettings(name="counted", quota=100))
    auth = (key.api_key, key.api_secret)
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    with ThreadPoolExecutor(2) as threads:
        inside = [threads.submit(live.post, params=FILE, files=files, auth=auth) for _ in range(2)]
        stuck.entered.acquire()
        pool = live.app.state.services.pool
        until(lambda: pool.in_flight == 2)
        for _ in range(3):
            response = live.post(params=FILE, files=files, auth=auth)
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) >= 1
            assert envelope(response)["errorCode"] == "503"
        # Requests that need no thread still get their replies.
        assert envelope(live.post(params={"format_type": "url"}, auth=auth))["errorCode"] == "6"
        assert alive(live)
        stuck.gate.set()
        assert [envelope(one.result())["errorCode"] for one in inside] == ["0", "0"]
    usage = live.store.usage(key.api_key)
    assert (usage.total, usage.reserved) == (2, 0)
    assert envelope(live.post(params=FILE, files=files, auth=auth))["errorCode"] == "0"


def test_the_deadline(
    start: Callable[..., Any], stuck: SlowMatcher, astronaut_jpeg: bytes, envelope: Callable[..., Any]
) -> None:
    live = start(matcher=stuck, threads=1, queue_size=1, deadline_seconds=1)
    key = live.store.create_key(KeySettings(name="late", quota=100))
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    response = live.post(params=FILE, files=files, auth=(key.api_key, key.api_secret))
    assert response.status_code == 503
    assert envelope(response)["errorCode"] == "503"
    usage = live.store.usage(key.api_key)
    assert (usage.total, usage.reserved) == (0, 0)
    pool = live.app.state.services.pool
    assert pool.in_flight == 1  # the thread is still at it, and its photos in memory
    stuck.gate.set()
    until(lambda: pool.in_flight == 0)


def test_the_deadline_bounds_the_body_and_the_image_servers(start: Callable[..., Any]) -> None:
    live = start(deadline_seconds=0.6, body_seconds=30, url_seconds=30)
    begun = time.monotonic()
    assert status_of(live.raw(head(live, "Content-Length: 1000"), b"half")) == 408
    assert time.monotonic() - begun < 10
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        response = live.get(params={"format_type": "url", "img1": url, "img2": url})
    assert response.json()["errorCode"] == "2"
    assert time.monotonic() - begun < 20
    until(lambda: live.app.state.services.pool.in_flight == 0)


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something that happens in another thread."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
