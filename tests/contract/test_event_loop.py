"""Nothing that is sent holds the event loop: a watch on it looks every few milliseconds while hostile requests run."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

V2 = "/api/v2/ekyc/face_matching"
# What is promised of the loop's own computing.
HELD = 0.05
# By the clock, where other threads hold the interpreter: the machine may have other work, and before there were
# bounds these took seconds.
LATE = 1.5


@pytest.fixture(scope="module")
def service(start: Callable[..., Any]) -> Any:
    return start(body_seconds=5, threads=1)


def head(service: Any, *lines: str, target: str = V2 + "?format_type=file") -> bytes:
    return "\r\n".join(
        [f"POST {target} HTTP/1.1", "Host: x", f"Authorization: {service.basic}", *lines, "", ""]
    ).encode()


CHUNKED = "Transfer-Encoding: chunked"


def crumbs(service: Any) -> bytes:
    return head(service, CHUNKED) + b"1\r\nx\r\n" * 500_000


def crumbs_without_a_key(service: Any) -> bytes:
    return crumbs(service).replace(service.basic.encode(), b"Basic eDp5")


def crumbs_of_two_bytes_in_extensions(service: Any) -> bytes:
    return head(service, CHUNKED) + b"2;a=b\r\nxy\r\n" * 300_000


def many_trailers(service: Any) -> bytes:
    return head(service, CHUNKED) + b"1\r\nx\r\n0\r\n" + b"a:\r\n" * 500_000


def many_extras(service: Any) -> bytes:
    query = "format_type=url&img1=http://127.0.0.1:1/?x" + "&is_thumb=1" * 5000 + "&x&img2=http://127.0.0.1:1/?x"
    return head(service, target=f"{V2}?{query}").replace(b"POST", b"GET")


def many_parameters(service: Any) -> bytes:
    query = "format_type=url" + "&img1=" * 9000
    return head(service, target=f"{V2}?{query}").replace(b"POST", b"GET")


def raw_letters(service: Any) -> bytes:
    query = ("?format_type=url&img1=http://127.0.0.1:1/" + "ả" * 20_000).encode()
    return head(service, target=V2 + "QUERY").replace(b"QUERY", query).replace(b"POST", b"GET")


def escapes(service: Any) -> bytes:
    return head(service, target="/" + "%41" * 20_000).replace(b"POST", b"GET")


def slashes(service: Any) -> bytes:
    return head(service, target="/" * 60_000 + "x").replace(b"POST", b"GET")


def pipelined(service: Any) -> bytes:
    return b"GET /nowhere HTTP/1.1\n\n" * 20_000


def many_headers(service: Any) -> bytes:
    return b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 15_000 + b"\r\n"


def one_long_header(service: Any) -> bytes:
    return b"GET / HTTP/1.1\r\nX: " + b"a" * 65_000 + b"\r\n\r\n"


def folds(service: Any) -> bytes:
    return b"GET / HTTP/1.1\r\nX: a\r\n" + b" a\r\n" * 15_000 + b"\r\n"


def long_credentials(service: Any) -> bytes:
    return f"GET {V2} HTTP/1.1\r\nAuthorization: Basic {'QUFB' * 16_000}\r\n\r\n".encode()


def no_end_of_line(service: Any) -> bytes:
    return b"A" * 1_000_000


def empty_lines(service: Any) -> bytes:
    return b"\r\n" * 500_000


HOSTILE = [
    crumbs,
    crumbs_without_a_key,
    crumbs_of_two_bytes_in_extensions,
    many_trailers,
    many_extras,
    many_parameters,
    raw_letters,
    escapes,
    slashes,
    pipelined,
    many_headers,
    one_long_header,
    folds,
    long_credentials,
    no_end_of_line,
    empty_lines,
]


@pytest.mark.parametrize("make", HOSTILE)
def test_four_connections_do_not_hold_the_loop(service: Any, make: Callable[[Any], bytes]) -> None:
    data = make(service)
    with service.watched_loop() as watch, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: service.raw(data, seconds=1), range(4)))
    assert watch.held < HELD, watch
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


def objects(size: int) -> bytes:
    return b'{"img1":"QQ==","img2":"QQ==","x":[' + b",".join([b"{}"] * (size // 3)) + b"]}"


BODIES: dict[str, Callable[[int], bytes]] = {
    "objects": objects,
    "nested": lambda size: b'{"img1":"QQ==","x":' + b"[" * size,
    "strings": lambda size: b'{"img1":"QQ==","x":[' + b'"",' * (size // 3),
    "escaped quotes": lambda size: b'{"img1":"' + b'\\"' * (size // 2),
    "backslashes": lambda size: b'{"img1":"' + b"\\\\" * (size // 2) + b'","img2":"QQ=="}',
    "escapes": lambda size: b'{"img1":"' + b"\\u0041" * (size // 6) + b'","img2":"QQ=="}',
    "blanks": lambda size: b'{"img1":"' + b"A " * (size // 4) + b'","img2":"' + b"A " * (size // 4) + b'"}',
    "letters": lambda size: b'{"img1":"' + b"A" * (size // 2) + b'","img2":"' + b"A" * (size // 2) + b'"}',
    "line breaks": lambda size: b'{"img1":"' + b"A\n" * (size // 4) + b'","img2":"' + b"\n" * (size // 2) + b'"}',
    "digits": lambda size: b'{"img1":' + b"1" * size + b"}",
    "white space": lambda size: b'{"img1":' + b" " * size + b"}",
    "utf-16": lambda size: objects(size // 2).decode().encode("utf-16"),
}


@pytest.mark.parametrize("body", BODIES)
def test_json_does_not_hold_the_interpreter(service: Any, body: str) -> None:
    data = BODIES[body](27_000_000)
    lines = (f"Content-Length: {len(data)}", "Content-Type: application/json", "Connection: close")
    request = head(service, *lines, target=V2 + "?format_type=base64")
    with service.watched_loop() as watch:
        answer = service.raw(request, data, seconds=20)
    assert b'"errorCode":"' in answer
    assert b'"errorCode":"0"' not in answer
    assert watch.held < HELD, watch
    assert watch.late < LATE, watch


NAMED = b'\r\nContent-Disposition: form-data; name="img1"\r\n\r\n'
FORMS: dict[str, Callable[[int], bytes]] = {
    "parts": lambda size: (b"--b\r\n\r\n") * (size // 7),
    "lookalikes": lambda size: b"--b" + NAMED + b"\n--bx" * (size // 5),
    "half a boundary": lambda size: b"--" + b"a" * 150 + NAMED + (b"\n--" + b"a" * 149) * (size // 152),
    "a head without end": lambda size: b"--b\r\nContent-Disposition: " + b";" * size,
    "quotes": lambda size: b'--b\r\nContent-Disposition: form-data; name="' + b'\\"; ' * (size // 4),
    "lines": lambda size: b"--b\r\n" + b"a:\r\n" * (size // 4),
    "line breaks": lambda size: b"\n" * size + b"--b",
    "dashes": lambda size: b"-" * size,
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_do_not_hold_the_interpreter(service: Any, form: str) -> None:
    data = FORMS[form](27_000_000)
    boundary = "a" * 150 if form == "half a boundary" else "b"
    lines = (f"Content-Length: {len(data)}", f"Content-Type: multipart/form-data; boundary={boundary}")
    with service.watched_loop() as watch:
        answer = service.raw(head(service, *lines, "Connection: close"), data, seconds=20)
    assert b'"errorCode":"' in answer
    assert watch.held < HELD, watch
    assert watch.late < LATE, watch


class RawServer:
    """Answers every connection with the same bytes, again and again."""

    def __init__(self, first: bytes, then: bytes) -> None:
        self._first, self._then = first, then
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._answer, args=self.socket.accept()[:1], daemon=True).start()

    def _answer(self, sock: socket.socket) -> None:
        with closing(sock), contextlib.suppress(OSError):
            sock.recv(65536)
            sock.sendall(self._first)
            for _ in range(20_000 if self._then else 0):
                sock.sendall(self._then)


@pytest.fixture
def image_server() -> Iterator[Callable[[bytes, bytes], RawServer]]:
    with contextlib.ExitStack() as stack:

        def make(first: bytes, then: bytes) -> RawServer:
            server = RawServer(first, then)
            stack.callback(server.socket.close)
            return server

        yield make


OK = b"HTTP/1.1 200 OK\r\n"
REPLIES: dict[str, tuple[bytes, bytes]] = {
    "crumbs": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
    "103 Early Hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2000),
    "headers": (OK, b"a:\r\n" * 15_000),
    "one header": (OK + b"X: ", b"a" * 60_000),
    "trailers": (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a:\r\n" * 15_000),
}


@pytest.mark.parametrize("reply", REPLIES)
def test_image_servers_do_not_hold_the_loop(service: Any, image_server: Any, reply: str) -> None:
    server = image_server(*REPLIES[reply])
    query = {"format_type": "url", "img1": server.url, "img2": server.url}
    with service.watched_loop() as watch:
        response = service.get(params=query)
    assert response.json()["errorCode"] == "2"
    assert watch.held < HELD, watch


def test_random_bytes_do_not_hold_the_loop(service: Any) -> None:
    source = random.Random(7)  # noqa: S311
    with service.watched_loop() as watch:
        for _ in range(50):
            start = source.choice(
                [b"", b"GET / HTTP/1.1\r\n", head(service, CHUNKED), head(service, "Content-Length: 9")]
            )
            service.raw(start + source.randbytes(source.randrange(1, 20_000)), b"\r\n\r\n", seconds=0.2)
    assert watch.held < HELD, watch
    assert service.get("/healthz").status_code == 200
