"""Clients that are right, or that everybody else serves: each by the bytes that it sends."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from facematch_server.store import KeySettings

V2 = "/api/v2/ekyc/face_matching"
# No photo, but content: errorCode 3 says that it was read, 1 that it was not found.
NOTE = b"no photo"


def content_of(answer: bytes) -> dict[str, Any]:
    """The envelope of a raw reply of any status."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\ncontent-type: application/json\r\n" in head.lower() + b"\r\n", answer
    content: dict[str, Any] = json.loads(body)
    assert list(content) == ["data", "errorCode", "errorMessage"]
    return content


def one_reply(sock: socket.socket) -> bytes:
    """A reply in the envelope on a connection that stays open."""
    answer = b""
    while not answer.endswith(b"}"):
        data = sock.recv(65536)
        assert data, answer
        answer += data
    return answer


def post(live: Any, body: bytes, *headers: str, target: str = V2 + "?format_type=file") -> bytes:
    lines = [f"POST {target} HTTP/1.1", "Host: x", f"Authorization: {live.basic}", "Connection: close", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def parts(photo: bytes, line_break: bytes = b"\r\n", boundary: bytes = b"XyZ", after: bytes = b"") -> bytes:
    head = b"--%b%b%bContent-Disposition: form-data; name=img%d; filename=a.jpg%b%b"
    return b"".join(
        head % (boundary, after, line_break, number, line_break, line_break) + photo + line_break for number in (1, 2)
    )


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "preamble": lambda photo: b"This is a form.\r\n-- but not yet\r\n" + parts(photo) + b"--XyZ--\r\n",
    "line feeds only": lambda photo: parts(photo, b"\n") + b"--XyZ--\n",
    "blanks after the boundary": lambda photo: parts(photo, after=b" \t ") + b"--XyZ--\r\n",
    "no closing boundary": parts,
    "closing boundary without a line break": lambda photo: parts(photo) + b"--XyZ--",
    "another boundary than the header's": lambda photo: parts(photo, boundary=b"--other") + b"----other--\r\n",
    "another boundary, and a preamble": lambda photo: b"Hello\r\n" + parts(photo, boundary=b"o") + b"--o--\r\n",
    "epilogue": lambda photo: parts(photo) + b"--XyZ--\r\nGood bye\r\n--XyZ\r\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(live: Any, astronaut_jpeg: bytes, form: str) -> None:
    answer = live.raw(post(live, FORMS[form](astronaut_jpeg), "Content-Type: multipart/form-data; boundary=XyZ"))
    assert content_of(answer)["data"]["match"] == "1"


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_raw_line_breaks_in_a_json_string(live: Any, astronaut_jpeg: bytes, line_break: str) -> None:
    text = base64.encodebytes(astronaut_jpeg).decode().replace("\n", line_break)
    body = f'{{"img1": "{text}",{line_break}"img2": "{text}"}}'.encode()
    answer = live.raw(post(live, body, "Content-Type: application/json", target=V2 + "?format_type=base64"))
    assert content_of(answer)["data"]["match"] == "1"


def test_slashes_that_php_escapes(live: Any, astronaut_jpeg: bytes) -> None:
    text = base64.b64encode(astronaut_jpeg).decode().replace("/", r"\/").replace("+", r"\u002B")
    body = f'{{"img1": "data:image\\/jpeg;base64,{text}", "img2": "{text}"}}'.encode()
    answer = live.raw(post(live, body, "Content-Type: application/json", target=V2 + "?format_type=base64"))
    assert content_of(answer)["data"]["match"] == "1"


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/ảnh thẻ/Nguyễn.jpg", "/%E1%BA%A3nh%20th%E1%BA%BB/Nguy%E1%BB%85n.jpg"),
        ("/a b.jpg?ten=Trần Văn&x=1", "/a%20b.jpg?ten=Tr%E1%BA%A7n%20V%C4%83n&x=1"),
    ],
)
def test_raw_letters_and_blanks_in_a_url(
    live: Any, photo_server: Any, astronaut_jpeg: bytes, path: str, asked: str
) -> None:
    photo_server.photos[asked.partition("?")[0]] = astronaut_jpeg
    photo_server.asked.clear()
    url = photo_server.url + path
    lines = [f"GET {V2}?img1={url}&img2={url}&type1=card&format_type=url HTTP/1.1", "Host: x", "Connection: close"]
    answer = live.raw("\r\n".join([*lines, f"Authorization: {live.basic}", "", ""]).encode())
    assert content_of(answer)["data"]["match"] == "1"
    assert photo_server.asked == [asked] * 2


def test_latin1_letters_in_a_url(live: Any, photo_server: Any) -> None:
    photo_server.asked.clear()
    url = photo_server.url.encode() + b"/\xe9t\xe9.jpg"
    head = f"\r\nHost: x\r\nConnection: close\r\nAuthorization: {live.basic}\r\n\r\n".encode()
    answer = live.raw(b"GET %b?img1=%b&img2=%b&format_type=url HTTP/1.1" % (V2.encode(), url, url) + head)
    assert content_of(answer)["errorCode"] == "2"
    assert photo_server.asked == ["/%E9t%E9.jpg"] * 2


@pytest.mark.parametrize(
    "target",
    [
        "//api/v2/ekyc/face_matching",
        V2 + "/",
        "/api//v2/ekyc///face_matching//",
        "http://photos.example:8000" + V2,
        "HTTPS://photos.example" + V2,
        "http://photos.example//api/v3/ekyc/face_matching/",
    ],
)
def test_targets(live: Any, target: str) -> None:
    form = parts(NOTE) + b"--XyZ--\r\n"
    for method_target in (target + "?format_type=file", target + "?type1=card&format_type=file"):
        answer = live.raw(
            post(live, form, "Content-Type: multipart/form-data; boundary=XyZ", target=method_target), seconds=5
        )
        assert content_of(answer)["errorCode"] == "3"


def credentials(live: Any, how: str) -> str:
    encoded = live.basic.removeprefix("Basic ")
    if how == "no padding":
        return "Basic " + encoded.rstrip("=")
    fold = {"folded": "\r\n ", "folded by a tab": "\r\n\t", "blanks": "  ", "bare line feed": "\n"}[how]
    return "Basic " + fold.join(encoded[start : start + 76] for start in range(0, len(encoded), 76))


@pytest.mark.parametrize("how", ["no padding", "folded", "folded by a tab", "blanks", "bare line feed"])
def test_credentials(live: Any, how: str) -> None:
    head = f"GET {V2} HTTP/1.1\r\nHost: x\r\nAuthorization: {credentials(live, how)}\r\nConnection: close\r\n\r\n"
    assert content_of(live.raw(head.encode()))["errorCode"] == "6"


def test_a_client_that_ends_its_half_gets_its_reply_and_is_counted_once(live: Any, astronaut_jpeg: bytes) -> None:
    key = live.store.create_key(KeySettings(name="half-closed", quota=5))
    basic = base64.b64encode(f"{key.api_key}:{key.api_secret}".encode()).decode()
    request = post(live, parts(astronaut_jpeg) + b"--XyZ--\r\n", "Content-Type: multipart/form-data; boundary=XyZ")
    request = request.replace(live.basic.encode(), b"Basic " + basic.encode())
    with closing(socket.create_connection(("127.0.0.1", live.port), timeout=60)) as sock:
        sock.sendall(request)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while data := sock.recv(65536):
            answer += data
    assert content_of(answer)["errorCode"] == "0"
    assert live.store.usage(key.api_key).total == 1


def test_pipelined_requests_and_then_the_end(live: Any) -> None:
    one = f"GET {V2} HTTP/1.1\r\nHost: x\r\nAuthorization: {live.basic}\r\n\r\n".encode()
    with closing(socket.create_connection(("127.0.0.1", live.port), timeout=20)) as sock:
        sock.sendall(one * 3)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while data := sock.recv(65536):
            answer += data
    assert answer.count(b'"errorCode":"6"') == 3


def test_a_client_whose_connection_is_lost_is_not_counted(
    start: Callable[..., Any], matcher: Any, astronaut_jpeg: bytes
) -> None:
    """Reset while its photos are compared: no client is left for the reply."""
    import struct
    import threading

    class Slow:
        def __init__(self) -> None:
            self.pack, self.policy = matcher.pack, matcher.policy
            self.entered, self.gate = threading.Event(), threading.Event()

        def match(self, *photos: Any) -> Any:
            self.entered.set()
            self.gate.wait(30)
            return matcher.match(*photos)

    slow = Slow()
    live = start(matcher=slow)
    key = live.store.create_key(KeySettings(name="lost", quota=5))
    basic = base64.b64encode(f"{key.api_key}:{key.api_secret}".encode()).decode()
    request = post(live, parts(astronaut_jpeg) + b"--XyZ--\r\n", "Content-Type: multipart/form-data; boundary=XyZ")
    with closing(socket.create_connection(("127.0.0.1", live.port), timeout=60)) as sock:
        sock.sendall(request.replace(live.basic.encode(), b"Basic " + basic.encode()))
        assert slow.entered.wait(30)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    time.sleep(0.3)
    slow.gate.set()
    end = time.monotonic() + 20
    while (usage := live.store.usage(key.api_key)).reserved and time.monotonic() < end:
        time.sleep(0.05)
    assert (usage.total, usage.reserved) == (0, 0)
    assert any('"status": 499' in line for line in live.logs)


def test_java_offers_http2_with_every_request(live: Any) -> None:
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk")
    form = parts(NOTE) + b"--XyZ--\r\n"
    request = post(live, form, "Content-Type: multipart/form-data; boundary=XyZ", *upgrade)
    told = len(live.logs)
    with closing(socket.create_connection(("127.0.0.1", live.port), timeout=20)) as sock:
        for _ in range(2):
            sock.sendall(request.replace(b"Connection: close\r\n", b""))
            assert b'"errorCode":"3"' in one_reply(sock)
    assert not any("pgrade" in line for line in live.logs[told:])


def test_an_empty_line_before_the_request(live: Any) -> None:
    head = f"\r\n\r\nGET {V2} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    assert content_of(live.raw(head))["errorCode"] == "5"


@pytest.mark.parametrize("path", [V2, "/v1/compare"])
def test_preflight_for_a_private_network(live: Any, path: str) -> None:
    headers = {
        "Origin": "https://page.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Private-Network": "true",
    }
    response = live.send("OPTIONS", path, auth=None, headers=headers)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Private-Network"] == "true"


def test_a_preflight_that_is_refused_is_in_the_envelope(start: Callable[..., Any], envelope: Any) -> None:
    live = start(cors_origins=("https://good.example",))
    headers = {"Origin": "https://bad.example", "Access-Control-Request-Method": "POST"}
    response = live.send("OPTIONS", V2, auth=None, headers=headers)
    assert response.status_code == 400
    assert envelope(response)["errorCode"] == "400"
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("path", ["/metrics", "/docs", "/version", "/openapi.json", "/", "/static/app.js", "/nowhere"])
def test_other_origins_read_the_api_only(live: Any, path: str) -> None:
    response = live.get(path, headers={"Origin": "https://page.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    "path", [V2, "/v1/compare", "/", "/docs", "/static/app.js", "/version", "/metrics", "/healthz", "/nowhere"]
)
def test_security_headers(live: Any, path: str) -> None:
    response = live.get(path)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    if response.headers["Content-Type"] != "application/json":
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("framing", "status"),
    [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0", 400),
        ("Content-Length: 0\r\nTransfer-Encoding: identity", 400),
        ("Transfer-Encoding: identity", 501),
        ("Transfer-Encoding: gzip, chunked", 501),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501),
        ("Content-Length: 0, 5", 400),
        ("Content-Length: +0", 400),
        ("Content-Length: 0x0", 400),
        ("Content-Length : 0", 400),
        ("Content-Length:", 400),
    ],
)
def test_a_body_whose_end_is_not_sure_ends_the_connection(live: Any, framing: str, status: int) -> None:
    """The following bytes must not be served as a request: a proxy may have seen them as a body."""
    head = f"POST {V2} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n".encode()
    answer = live.raw(head + b"0\r\n\r\n" + SMUGGLED, seconds=5)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
    assert answer.count(b"HTTP/1.1 ") == 1
    assert content_of(answer)["errorCode"] == str(status)
    assert b"\r\nconnection: close\r\n" in answer.lower()
    assert b"\r\nx-content-type-options: nosniff\r\n" in answer.lower()


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 431)])
@pytest.mark.parametrize("at_once", [True, False])
def test_the_limit_on_heads_is_exact(live: Any, more: int, status: int, at_once: bool) -> None:
    start, end = f"GET {V2} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ".encode(), b"\r\n\r\n"
    head = start + b"a" * (64 * 1024 - len(start) - len(end) + more) + end
    pieces = [head] if at_once else [head[:40_000], head[40_000:]]
    with closing(socket.create_connection(("127.0.0.1", live.port), timeout=20)) as sock:
        answer = b""
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                sock.sendall(piece)
                time.sleep(0.1)
            while data := sock.recv(65536):
                answer += data
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert content_of(answer)["errorCode"] == ("5" if status == 200 else "431")


def test_too_many_headers(live: Any) -> None:
    head = f"GET {V2} HTTP/1.1\r\nHost: x\r\n".encode() + b"a:\r\n" * 300 + b"\r\n"
    assert content_of(live.raw(head))["errorCode"] == "431"


def test_a_refusal_reaches_a_client_that_sends_its_body_first(live: Any) -> None:
    """The rest of the body is not read as a request."""
    body = SMUGGLED * 100_000
    request = post(live, body, "Content-Type: multipart/form-data; boundary=XyZ", target=V2 + "?format_type=url")
    answer = live.raw(request.replace(b"Connection: close\r\n", b""))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert content_of(answer)["errorCode"] == "6"
    assert b"\r\nconnection: close\r\n" in answer.lower()


def test_replies_on_a_kept_connection_come_at_once(live: Any) -> None:
    """Without TCP_NODELAY every reply takes 40 ms: its body waits for the acknowledgement of its head."""
    request = f"GET {V2} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    times = []
    with closing(socket.create_connection(("127.0.0.1", live.port), timeout=20)) as sock:
        for _ in range(20):
            begun = time.perf_counter()
            sock.sendall(request)
            one_reply(sock)
            times.append(time.perf_counter() - begun)
    # Without it all take longer; with it some are fast however busy the machine is.
    assert sorted(times)[2] < 0.03, times
