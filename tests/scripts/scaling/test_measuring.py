"""The measuring parts on stand-ins: what they count is what happened."""

from __future__ import annotations

import http.server
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.scaling.measuring.clients import Client, Sent
from scripts.scaling.measuring.photos import SIZES, mixed, pairs
from scripts.scaling.measuring.round_trips import counted
from scripts.scaling.measuring.service import MeasureError, Running, on_cores


class Stub(http.server.BaseHTTPRequestHandler):
    """Replies after 20 ms; refuses bodies `busy`, and answers `wrong` with an error of the contract."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(0.02)
        reply = json.dumps({"errorCode": "5" if body == b"wrong" else "0"}, separators=(",", ":")).encode()
        self.send_response(503 if body == b"busy" else 200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def running() -> Iterator[Running]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield Running(os.getpid(), server.server_address[1], ("key", "secret"), 0.0, Path())
        server.shutdown()
        thread.join()


def test_a_closed_loop_sends_every_request_once(running: Running) -> None:
    sent = Sent()
    Client(running, [b"good", b"good", b"busy"]).closed(sent, 3, 30)
    point = sent.point(1, 3, 0.0)
    assert (len(sent.seconds), sent.refused, point.requests, point.arrivals) == (20, 10, 30, "closed")
    assert min(sent.seconds) >= 0.02
    assert point.p50_ms <= point.p95_ms <= point.p99_ms
    # Three clients at 20 ms each: at most 150 a second, two thirds of them answered.
    assert 0 < point.throughput <= 100


def test_an_open_loop_counts_the_time_from_the_arrival(running: Running) -> None:
    sent = Sent()
    Client(running, [b"good"]).open(sent, 50.0, 0.5, seed=1)
    assert 10 <= len(sent.seconds) <= 45
    assert sent.point(1, 0, 50.0).arrivals == "open"
    # Equal seeds give equal arrivals.
    again = Sent()
    Client(running, [b"good"]).open(again, 50.0, 0.5, seed=1)
    assert len(again.seconds) == len(sent.seconds)


def test_a_request_that_fails_ends_the_measurement(running: Running) -> None:
    with pytest.raises(MeasureError, match="the service replied 200"):
        Client(running, [b"wrong"]).closed(Sent(), 2, 10)


@pytest.mark.slow
def test_the_mix_has_its_shares_and_both_kinds_of_body() -> None:
    made = pairs()
    ten = mixed(made)
    assert [sum(pair is one for pair in ten) for one in made] == [tenths for _, tenths in SIZES]
    assert [round(pair.megapixels, 1) for pair in made] == [1.2, 1.9, 4.9, 12.0]
    small = made[0]
    assert len(small.base64_body()) == pytest.approx(4 / 3 * len(small.form_body()), rel=0.01)
    assert small.card in small.form_body()
    # As many bits a pixel as photos of cameras have.
    assert all(0.8 < 8 * len(pair.portrait) / pair.megapixels / 1e6 < 3.0 for pair in made)


def test_round_trips_are_counted_by_changes_of_direction() -> None:
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{name}/.s.PGSQL.5432")
        listener.listen()

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                while data := peer.recv(100):
                    if data.endswith(b"."):
                        peer.sendall(b"reply")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with counted(Path(name)) as counter, socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{counter.folder}/.s.PGSQL.5432")
            for parts in ([b"a", b"b."], [b"c."], [b"d", b"e", b"f."]):
                for part in parts:
                    client.sendall(part)
                    time.sleep(0.01)
                assert client.recv(100) == b"reply"
            assert counter.round_trips == 3
        thread.join(10)
        assert not thread.is_alive(), "the server does not see that the client left"


def test_cores_are_given_back() -> None:
    before = os.sched_getaffinity(0)
    with on_cores({min(before)}):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before
