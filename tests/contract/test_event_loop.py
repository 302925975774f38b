"""Nothing that is sent holds the event loop: a watch on it looks every few milliseconds while hostile requests run."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.hostile_requests import (
    BODIES,
    CHUNKED,
    FORMS,
    HOSTILE_REQUESTS,
    REPLIES,
    V2,
    RawServer,
    crumbs,
    crumbs_without_a_key,
    head,
    hostile_form,
    hostile_json,
)

# The promised limit on computing in the event loop.
HELD = 0.05
# Other programs on the same cores push single measurements a little over it; the faults that this test guards against
# held the loop for 0.25 to 6 s.
TOLERATED = 3 * HELD
# By the clock, where other threads hold the interpreter: the machine may have other work, and before there were
# bounds these took seconds.
LATE = 1.5


@pytest.fixture(scope="module")
def service(start: Callable[..., Any]) -> Any:
    return start(body_seconds=5, threads=1)


@pytest.mark.parametrize("make", HOSTILE_REQUESTS)
def test_four_connections_do_not_hold_the_loop(service: Any, make: Callable[[Any], bytes]) -> None:
    data = make(service)
    with service.watched_loop() as watch, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: service.raw(data, seconds=0.3), range(4)))
    assert watch.held < TOLERATED, watch
    assert all(answer.startswith(b"HTTP/1.1 ") for answer in answers if answer)
    assert service.get("/healthz").status_code == 200


@pytest.mark.parametrize("make", [crumbs, crumbs_without_a_key])
def test_crumbs_are_refused_in_the_envelope(service: Any, make: Callable[[Any], bytes]) -> None:
    answer = service.raw(make(service), seconds=10)
    assert b'"data":null' in answer
    assert b"connection: close" in answer.lower()


def test_chunks_of_a_line_of_base64_are_served(service: Any) -> None:
    """As `for line in file: send(line)` makes them."""
    line = b'"img1": "' + b"A" * 67
    body = b"%x\r\n%b\r\n" % (len(line), line)
    request = head(service, CHUNKED, "Connection: close", target=V2 + "?format_type=base64")
    answer = service.raw(request + body * 20_000 + b"0\r\n\r\n")
    assert b'"errorCode":"1"' in answer


# The largest bodies that the service takes are of 27 MB.
SIZES = pytest.mark.parametrize("size", [4_000_000, pytest.param(27_000_000, marks=pytest.mark.slow)])


@SIZES
@pytest.mark.parametrize("body", BODIES)
def test_json_does_not_hold_the_interpreter(service: Any, body: str, size: int) -> None:
    data = BODIES[body](size)
    request = hostile_json(service, data)
    with service.watched_loop() as watch:
        answer = service.raw(request, data, seconds=20)
    assert b'"errorCode":"' in answer
    assert b'"errorCode":"0"' not in answer
    assert watch.held < TOLERATED, watch
    assert watch.late < LATE, watch


@SIZES
@pytest.mark.parametrize("form", FORMS)
def test_forms_do_not_hold_the_interpreter(service: Any, form: str, size: int) -> None:
    data = FORMS[form](size)
    with service.watched_loop() as watch:
        answer = service.raw(hostile_form(service, form, data), data, seconds=20)
    assert b'"errorCode":"' in answer
    assert watch.held < TOLERATED, watch
    assert watch.late < LATE, watch


@pytest.fixture
def image_server() -> Iterator[Callable[[bytes, bytes], RawServer]]:
    with contextlib.ExitStack() as stack:

        def make(first: bytes, then: bytes) -> RawServer:
            server = RawServer(first, then)
            stack.callback(server.socket.close)
            return server

        yield make


@pytest.mark.parametrize("reply", REPLIES)
def test_image_servers_do_not_hold_the_loop(service: Any, image_server: Any, reply: str) -> None:
    server = image_server(*REPLIES[reply])
    query = {"format_type": "url", "img1": server.url, "img2": server.url}
    with service.watched_loop() as watch:
        response = service.get(params=query)
    assert response.json()["errorCode"] == "2"
    assert watch.held < TOLERATED, watch


def test_random_bytes_do_not_hold_the_loop(service: Any) -> None:
    source = random.Random(7)  # noqa: S311
    with service.watched_loop() as watch:
        for _ in range(50):
            start = source.choice(
                [b"", b"GET / HTTP/1.1\r\n", head(service, CHUNKED), head(service, "Content-Length: 9")]
            )
            service.raw(start + source.randbytes(source.randrange(1, 20_000)), b"\r\n\r\n", seconds=0.2)
    assert watch.held < TOLERATED, watch
    assert service.get("/healthz").status_code == 200
