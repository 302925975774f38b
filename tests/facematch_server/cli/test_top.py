"""`facematch top` against a service that answers on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from facematch_server.metrics import Metrics

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    metrics = Metrics()
    metrics.watch("facematch_places", "", lambda: 34.0)
    metrics.count_outcome("face_matching", "0", "9")
    metrics.observe({"total": 0.15})

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/metrics"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(metrics.text())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_once(facematch: Command, address: str) -> None:
    completed = facematch("top", address, "--once")
    assert completed.code == 0
    assert address in completed.out
    assert "Wearing a mask" in completed.out
    assert "since the start" in completed.out or "of the last" in completed.out


def test_once_as_json(facematch: Command, address: str) -> None:
    completed = facematch("top", address, f"http://{address}/metrics", "--once", "--json")
    assert completed.code == 0
    found = json.loads(completed.out)
    assert [service["answered"] for service in found] == [1, 1]
    assert found[0]["outcomes"] == [{"error_code": "0", "invalid_code": "9", "count": 1}]


def test_a_service_that_is_gone(facematch: Command, address: str) -> None:
    completed = facematch("top", address, "127.0.0.1:1", "--once")
    assert completed.code == 1
    assert "127.0.0.1:1: no reply" in completed.out
    assert "Wearing a mask" in completed.out


@pytest.mark.parametrize("arguments", [("ftp://x", "--once"), ("--json",), ("--once", "--ca-file", "absent.pem")])
def test_wrong_usage(facematch: Command, arguments: tuple[str, ...]) -> None:
    assert facematch("top", *arguments).code == 2
