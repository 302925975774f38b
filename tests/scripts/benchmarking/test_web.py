"""Requests and clients of the benchmark, on stand-ins; and the plain service for other software."""

from __future__ import annotations

import http.server
import json
import os
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from facematch_server.wire.photos import take_photos
from facematch_server.wire.query import Mode, parse_query
from scripts.benchmarking.photos import Pair
from scripts.benchmarking.samples import AbsentError
from scripts.benchmarking.web.bodies import Request, basic, contract_requests, plain_request
from scripts.benchmarking.web.clients import send_for
from scripts.benchmarking.web.plain_service import plain_app
from scripts.benchmarking.web.services import photo_server

PAIR = Pair(b"\xff\xd8card", b"\xff\xd8portrait")


class Stub(http.server.BaseHTTPRequestHandler):
    """Replies after 10 ms; every third request to `/busy` is refused."""

    protocol_version = "HTTP/1.1"
    count = 0
    connections = 0

    def setup(self) -> None:
        super().setup()
        Stub.connections += 1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(0.01)
        Stub.count += 1
        self.send_response(503 if self.path == "/busy" and Stub.count % 3 == 0 else 200)
        reply = json.dumps({"errorCode": "5" if self.path == "/wrong" else "0"}, separators=(",", ":")).encode()
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        Stub.count = Stub.connections = 0
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def request(path: str) -> Request:
    return Request("POST", path, {}, b"body", b'"errorCode":"0"')


def test_each_client_keeps_one_connection_and_sends_until_the_end(port: int) -> None:
    sample = send_for(port, os.getpid(), request("/"), 0.3, 3)
    assert Stub.connections == 3
    assert len(sample.seconds) == Stub.count
    assert min(sample.seconds) >= 0.01
    assert 3 <= len(sample.seconds) <= 3 * 0.3 / 0.01 + 3
    assert sample.memory_mib > 10
    assert sample.cpu > 0


def test_refused_requests_are_counted_apart(port: int) -> None:
    sample = send_for(port, os.getpid(), request("/busy"), 0.5, 1, memory=False)
    assert sample.refused == Stub.count // 3 > 0
    assert len(sample.seconds) + sample.refused == Stub.count
    assert sample.memory_mib == 0


def test_a_wrong_reply_or_no_service_ends_the_measurement(port: int) -> None:
    with pytest.raises(AbsentError, match="the service replied 200"):
        send_for(port, os.getpid(), request("/wrong"), 60.0, 2, memory=False)
    with pytest.raises(AbsentError, match="ConnectionRefusedError"):
        send_for(1, os.getpid(), request("/"), 60.0, 2, memory=False)


def test_the_requests_are_those_of_the_contract() -> None:
    urls = ("http://127.0.0.1:1/a.jpg?x=1&y=2", "http://127.0.0.1:1/b.jpg")
    made = contract_requests(PAIR, ("key", "secret"), urls)
    for name, mode in (("json", Mode.BASE64), ("multipart", Mode.FILE)):
        one = made[name]
        assert parse_query(one.method, one.target.partition("?")[2].encode()).mode is mode
        assert one.body is not None
        photos = take_photos(mode, one.headers["Content-Type"], one.body, 1000)
        assert (photos.image1, photos.image2) == (PAIR.card, PAIR.portrait)
    query = parse_query("GET", made["url"].target.partition("?")[2].encode())
    assert (query.url1, query.url2) == urls
    assert made["wrong key"].headers != made["url"].headers == basic(("key", "secret"))


def test_the_photo_server_gives_both_photos() -> None:
    with photo_server(PAIR) as urls:
        fetched = [urllib.request.urlopen(url, timeout=10).read() for url in urls]
    assert fetched == [PAIR.card, PAIR.portrait]


def test_other_software_gets_the_same_bytes_behind_fastapi() -> None:
    pytest.importorskip("python_multipart", reason="FastAPI reads forms with python-multipart")
    seen: list[tuple[bytes, bytes]] = []

    def call(card: bytes, portrait: bytes) -> float:
        seen.append((card, portrait))
        return 0.5

    sent = plain_request(PAIR)
    with TestClient(plain_app(call)) as client:
        reply = client.post(sent.target, content=sent.body, headers=sent.headers)
    assert reply.json() == {"score": 0.5}
    assert sent.expected in reply.content
    assert seen == [(PAIR.card, PAIR.portrait)]
