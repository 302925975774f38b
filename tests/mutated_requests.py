"""Mutated requests for a live port, and what may be said of the replies. One seed gives the same requests."""

from __future__ import annotations

import base64
import contextlib
import json
import random
import re
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from tests.hostile_photos import small_jpeg
from tests.hostile_requests import V2, Keyed, head

ENVELOPE: Final = ["data", "errorCode", "errorMessage"]
# Errors of /v1/compare also name the photo at fault and the reason.
DETAILED = [*ENVELOPE, "image", "reason"]
# What mutations put in: pieces that parsers of HTTP, forms and JSON stumble over.
_TOKENS: Final = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b"%00",
    b"%",
    b"\xff\xfe",
    b"\xe1\xba\xa3",
    b":",
    b"--b",
    b"--b--\r\n",
    b"\r\n\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
    b"Connection: keep-alive\r\n",
    b"Authorization: Basic eDp5\r\n",
    b"Host: y\r\n",
    b"HTTP/1.0",
    b"HTTP/2.0",
    b"HEAD ",
    b"OPTIONS * HTTP/1.1\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n\r\n",
    b"FFFFFFFFFFFFFFFF\r\n",
    b"0\r\n\r\n",
    b"-1",
    b"[[[[[[[[",
    b'{"img1":',
    b'"',
    b"\\u0000",
    b"data:image/jpeg;base64,",
    b"A" * 3000,
)
_METHODS: Final = (b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"DELETE", b"CONNECT", b"TRACE", b"get", b"PRI")


def good_requests(who: Keyed) -> list[bytes]:
    """Requests as clients send them, of every kind that the port takes."""
    photo = small_jpeg()
    parts = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%b"; filename="x.jpg"\r\n\r\n' % name + photo + b"\r\n"
        for name in (b"img1", b"img2")
    )
    form = parts + b"--b--\r\n"
    text = base64.b64encode(photo).decode()
    body = json.dumps({"img1": text, "img2": text}).encode()
    multipart, in_json = "Content-Type: multipart/form-data; boundary=b", "Content-Type: application/json"
    chunked = b"".join(
        b"%x\r\n%b\r\n" % (len(form[at : at + 500]), form[at : at + 500]) for at in range(0, len(form), 500)
    )
    url = "http://127.0.0.1:1/x.jpg"
    by_url = f"{V2}?format_type=url&type1=card&img1={url}&img2={url}"
    base64_target = V2 + "?type1=portrait&format_type=base64"
    gets = ("/healthz", "/readyz", "/metrics", "/version", "/openapi.json", "/docs", "/", "/nowhere")
    return [
        head(who, multipart, f"Content-Length: {len(form)}") + form,
        head(who, in_json, f"Content-Length: {len(body)}", target=base64_target) + body,
        head(who, in_json, "Transfer-Encoding: chunked", target=base64_target)
        + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
        head(who, multipart, "Transfer-Encoding: chunked") + chunked + b"0\r\n\r\n",
        head(who, multipart, f"Content-Length: {len(form)}", target="/v1/compare?type1=card") + form,
        head(who, target=by_url).replace(b"POST", b"GET", 1),
        head(who, target=by_url.replace("v2", "v3")).replace(b"POST", b"GET", 1),
        head(who, "Origin: http://a", "Access-Control-Request-Method: POST").replace(b"POST", b"OPTIONS", 1),
        *(head(who, target=target).replace(b"POST", b"GET", 1) for target in gets),
    ]


def mutated_request(source: random.Random, requests: Sequence[bytes]) -> bytes:
    """One of the requests, damaged in one to six places, nearer to its head than to its end."""
    request = bytearray(source.choice(requests))
    for _ in range(source.randint(1, 6)):
        _MUTATIONS[source.randrange(len(_MUTATIONS))](source, request, requests)
    return bytes(request)


def _place(source: random.Random, request: bytearray) -> int:
    reach = source.choice((60, 300, 700, len(request)))
    return source.randrange(min(reach, len(request)) + 1)


def _overwrite(source: random.Random, request: bytearray, _: Sequence[bytes]) -> None:
    at = _place(source, request)
    request[at : at + 1] = bytes((source.randrange(256),))


def _insert(source: random.Random, request: bytearray, _: Sequence[bytes]) -> None:
    at = _place(source, request)
    request[at:at] = source.choice(_TOKENS)


def _remove(source: random.Random, request: bytearray, _: Sequence[bytes]) -> None:
    at = _place(source, request)
    del request[at : at + source.randint(1, 40)]


def _repeat(source: random.Random, request: bytearray, _: Sequence[bytes]) -> None:
    at = _place(source, request)
    request[at:at] = request[at : at + source.randint(1, 200)] * source.randint(1, 5)


def _cut(source: random.Random, request: bytearray, _: Sequence[bytes]) -> None:
    del request[_place(source, request) :]


def _repeat_line(source: random.Random, request: bytearray, _: Sequence[bytes]) -> None:
    lines = bytes(request).split(b"\r\n")
    line = source.choice(lines[:8])
    lines.insert(source.randrange(min(len(lines), 8) + 1), line)
    request[:] = b"\r\n".join(lines)


def _method(source: random.Random, request: bytearray, _: Sequence[bytes]) -> None:
    _, blank, rest = bytes(request).partition(b" ")
    request[:] = source.choice(_METHODS) + blank + rest


def _splice(source: random.Random, request: bytearray, requests: Sequence[bytes]) -> None:
    other = source.choice(requests)
    request[_place(source, request) :] = other[source.randrange(len(other)) :]


def _another_behind(source: random.Random, request: bytearray, requests: Sequence[bytes]) -> None:
    request += source.choice(requests)


_MUTATIONS: Final[tuple[Callable[[random.Random, bytearray, Sequence[bytes]], None], ...]] = (
    *(_overwrite, _insert, _insert, _remove, _repeat),
    *(_cut, _repeat_line, _method, _splice, _another_behind),
)


def outcome_of(sock: socket.socket, request: bytes, half_close: bool) -> str:
    """Send a request and tell how it ended, see `wrong`; the socket's timeout says what is taken for a hang."""
    received = b""
    try:
        with contextlib.suppress(BrokenPipeError):
            sock.sendall(request)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        while piece := sock.recv(1 << 16):
            received += piece
    except TimeoutError:
        return "HANG"
    except OSError as error:
        # Where a reply came whole, or the request itself was cut, that is a way to close.
        return f"RESET after {judged(received, request)}" if received else f"RESET ({type(error).__name__})"
    return judged(received, request)


def judged(received: bytes, request: bytes) -> str:
    """The statuses of the replies, or what is wrong with them in capitals."""
    statuses = []
    while received:
        found = re.match(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n", received)
        if not found:
            return "NO HTTP"
        received = received[found.end() :]
        status, headers = int(found[1]), found[2].lower()
        if status < 200:
            continue
        statuses.append(str(status))
        # Beside 503 (busy), the one 5xx that docs/operating.md has: of a transfer coding that is none (RFC 9112, 6.1).
        no_coding = status == 501 and b"transfer-encoding" in request.lower()
        if status >= 500 and status != 503 and not no_coding:
            return f"STATUS {status}"
        stated = re.search(rb"^content-length: (\d+)\r$", headers, re.M)
        if stated is None:
            if status not in (204, 304):
                return "NO LENGTH"
            continue
        length = int(stated[1])
        # The reply to a HEAD has no body, but says its length.
        if length and b"HEAD" in request and (not received or received.startswith(b"HTTP/1.1 ")):
            continue
        body, received = received[:length], received[length:]
        if len(body) < length:
            return "CUT SHORT"
        if trouble := _trouble(status, headers, body):
            return trouble
    return " ".join(statuses) or "closed"


def _trouble(status: int, headers: bytes, body: bytes) -> str:
    if b"content-type: application/json\r\n" not in headers:
        return "" if status == 200 else "NO JSON"
    try:
        content: Any = json.loads(body)
    except ValueError:
        return "NO JSON"
    # The replies of other paths than the contract's are only theirs where there is no error.
    if status != 200 and list(content) not in (ENVELOPE, DETAILED):
        return "NO ENVELOPE"
    return ""


def wrong(outcome: str) -> bool:
    """Whether an outcome is none that a request may have."""
    return outcome[:1].isupper()
