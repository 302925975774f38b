"""Requests and replies that are cheap to send and dear to read; and servers of photos that give such replies."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Final, Protocol

V2: Final = "/api/v2/ekyc/face_matching"


class Keyed(Protocol):
    """Who has a key."""

    @property
    def basic(self) -> str:
        """The `Authorization` header."""
        ...


def head(who: Keyed, *lines: str, target: str = V2 + "?format_type=file") -> bytes:
    return "\r\n".join([f"POST {target} HTTP/1.1", "Host: x", f"Authorization: {who.basic}", *lines, "", ""]).encode()


CHUNKED: Final = "Transfer-Encoding: chunked"


def crumbs(who: Keyed) -> bytes:
    return head(who, CHUNKED) + b"1\r\nx\r\n" * 500_000


def crumbs_without_a_key(who: Keyed) -> bytes:
    return crumbs(who).replace(who.basic.encode(), b"Basic eDp5")


def crumbs_of_two_bytes_in_extensions(who: Keyed) -> bytes:
    return head(who, CHUNKED) + b"2;a=b\r\nxy\r\n" * 300_000


def many_trailers(who: Keyed) -> bytes:
    return head(who, CHUNKED) + b"1\r\nx\r\n0\r\n" + b"a:\r\n" * 500_000


def many_extras(who: Keyed) -> bytes:
    query = "format_type=url&img1=http://127.0.0.1:1/?x" + "&is_thumb=1" * 5000 + "&x&img2=http://127.0.0.1:1/?x"
    return head(who, target=f"{V2}?{query}").replace(b"POST", b"GET")


def many_parameters(who: Keyed) -> bytes:
    query = "format_type=url" + "&img1=" * 9000
    return head(who, target=f"{V2}?{query}").replace(b"POST", b"GET")


def raw_letters(who: Keyed) -> bytes:
    query = ("?format_type=url&img1=http://127.0.0.1:1/" + "ả" * 20_000).encode()
    return head(who, target=V2 + "QUERY").replace(b"QUERY", query).replace(b"POST", b"GET")


def escapes(who: Keyed) -> bytes:
    return head(who, target="/" + "%41" * 20_000).replace(b"POST", b"GET")


def slashes(who: Keyed) -> bytes:
    return head(who, target="/" * 60_000 + "x").replace(b"POST", b"GET")


def pipelined(who: Keyed) -> bytes:
    return b"GET /nowhere HTTP/1.1\n\n" * 20_000


def many_headers(who: Keyed) -> bytes:
    return b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 15_000 + b"\r\n"


def one_long_header(who: Keyed) -> bytes:
    return b"GET / HTTP/1.1\r\nX: " + b"a" * 65_000 + b"\r\n\r\n"


def folds(who: Keyed) -> bytes:
    return b"GET / HTTP/1.1\r\nX: a\r\n" + b" a\r\n" * 15_000 + b"\r\n"


def long_credentials(who: Keyed) -> bytes:
    return f"GET {V2} HTTP/1.1\r\nAuthorization: Basic {'QUFB' * 16_000}\r\n\r\n".encode()


def no_end_of_line(who: Keyed) -> bytes:
    return b"A" * 1_000_000


def empty_lines(who: Keyed) -> bytes:
    return b"\r\n" * 500_000


HOSTILE_REQUESTS: Final[list[Callable[[Keyed], bytes]]] = [
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


def objects(size: int) -> bytes:
    return b'{"img1":"QQ==","img2":"QQ==","x":[' + b",".join([b"{}"] * (size // 3)) + b"]}"


BODIES: Final[dict[str, Callable[[int], bytes]]] = {
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


NAMED: Final = b'\r\nContent-Disposition: form-data; name="img1"\r\n\r\n'
FORMS: Final[dict[str, Callable[[int], bytes]]] = {
    "parts": lambda size: (b"--b\r\n\r\n") * (size // 7),
    "lookalikes": lambda size: b"--b" + NAMED + b"\n--bx" * (size // 5),
    "half a boundary": lambda size: b"--" + b"a" * 150 + NAMED + (b"\n--" + b"a" * 149) * (size // 152),
    "a head without end": lambda size: b"--b\r\nContent-Disposition: " + b";" * size,
    "quotes": lambda size: b'--b\r\nContent-Disposition: form-data; name="' + b'\\"; ' * (size // 4),
    "lines": lambda size: b"--b\r\n" + b"a:\r\n" * (size // 4),
    "line breaks": lambda size: b"\n" * size + b"--b",
    "dashes": lambda size: b"-" * size,
}


def hostile_json(who: Keyed, data: bytes) -> bytes:
    """The head of a request with such a body."""
    lines = (f"Content-Length: {len(data)}", "Content-Type: application/json", "Connection: close")
    return head(who, *lines, target=V2 + "?format_type=base64")


def hostile_form(who: Keyed, name: str, data: bytes) -> bytes:
    """The head of a request with such a body."""
    boundary = "a" * 150 if name == "half a boundary" else "b"
    lines = (f"Content-Length: {len(data)}", f"Content-Type: multipart/form-data; boundary={boundary}")
    return head(who, *lines, "Connection: close")


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


OK: Final = b"HTTP/1.1 200 OK\r\n"
REPLIES: Final[dict[str, tuple[bytes, bytes]]] = {
    "crumbs": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
    "103 Early Hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2000),
    "headers": (OK, b"a:\r\n" * 15_000),
    "one header": (OK + b"X: ", b"a" * 60_000),
    "trailers": (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a:\r\n" * 15_000),
}
