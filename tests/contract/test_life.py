"""The service as a process: start, stop, and messages if it cannot start."""

from __future__ import annotations

import shutil
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.service_process import Process, half_sent

V2 = "/api/v2/ekyc/face_matching"
pytestmark = pytest.mark.slow


def test_first_start_makes_a_key_that_works_and_the_second_does_not(
    launch: Callable[..., Process], astronaut_jpeg: bytes
) -> None:
    process = launch()
    key = process.wait_for(r"api_key: +(\S+)\n +api_secret: +(\S+)\n", process.out)
    process.wait_for(r"format_type=file'\n", process.out)
    port = process.ports[0]
    printed = "".join(process.out)
    assert f"curl -u {key[1]}:{key[2]}" in printed
    assert f"http://127.0.0.1:{port}{V2}" in printed
    response = requests.post(
        f"http://127.0.0.1:{port}{V2}?type1=card&format_type=file",
        auth=(key[1], key[2]),
        files={"img1": astronaut_jpeg, "img2": astronaut_jpeg},
        timeout=60,
    )
    assert response.json()["data"]["match"] == "1"
    # The secret goes to the terminal, never to the logs.
    assert key[2] not in "".join(process.err)
    assert "alembic" not in "".join(process.err)
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(20) == 0
    again = launch()
    assert again.ports
    assert not again.out


def test_draining(launch: Callable[..., Process]) -> None:
    """After SIGTERM: not ready at once, still served for a while, then gone."""
    process = launch(DRAIN_SECONDS=5)
    base = f"http://127.0.0.1:{process.ports[0]}"
    assert requests.get(base + "/readyz", timeout=10).status_code == 200
    process.popen.send_signal(signal.SIGTERM)
    process.wait_for("draining", process.err)
    response = requests.get(base + "/readyz", timeout=10)
    assert response.status_code == 503
    assert response.json()["draining"] is True
    assert requests.get(base + "/healthz", timeout=10).status_code == 200
    assert requests.get(base + V2, timeout=10).json()["errorCode"] == "5"
    assert process.popen.wait(20) == 0


def test_what_was_accepted_is_finished(launch: Callable[..., Process], astronaut_jpeg: bytes) -> None:
    """A request whose body is half sent when SIGTERM comes is still answered."""
    process = launch()
    key = process.wait_for(r"curl -u (\S+):(\S+) ", process.out)
    url = f"http://127.0.0.1:{process.ports[0]}"
    sock, rest = half_sent(url, (key[1], key[2]), astronaut_jpeg)
    with closing(sock):
        metrics = f"{url}/metrics"
        while "facematch_places_taken 1.0" not in requests.get(metrics, timeout=10).text:
            time.sleep(0.02)
        process.popen.send_signal(signal.SIGTERM)
        process.wait_for("draining", process.err)
        assert refuses(metrics)
        sock.sendall(rest)
        answer = b""
        while chunk := sock.recv(65536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"errorCode":"0"' in answer
    assert process.popen.wait(20) == 0


def test_internal_port(launch: Callable[..., Process]) -> None:
    process = launch(INTERNAL_PORT=0)
    process.wait_for(r"listening[\s\S]*listening", process.err)
    public, internal = (f"http://127.0.0.1:{port}" for port in process.ports)
    for path, public_status, internal_status in (
        ("/healthz", 200, 200),
        ("/readyz", 200, 200),
        ("/metrics", 404, 200),
        ("/openapi.json", 404, 200),
        ("/docs", 404, 200),
        (V2, 200, 404),
    ):
        assert requests.get(public + path, timeout=10).status_code == public_status, path
        assert requests.get(internal + path, timeout=10).status_code == internal_status, path
    # The page there prints calls of the contract's endpoint, which is on the public port (0 in the settings here).
    assert requests.get(internal + "/version", timeout=10).json()["api_port"] == 0
    assert requests.post(public + "/v1/compare", timeout=10).status_code == 404
    assert requests.post(internal + "/v1/compare", timeout=10).status_code == 401
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(20) == 0


def refuses(url: str) -> bool:
    """Whether the port is closed, or is within a few seconds."""
    for _ in range(100):
        try:
            requests.get(url, timeout=10)
        except requests.ConnectionError:
            return True
        time.sleep(0.1)
    return False


def one_line(process: Process) -> str:
    """The message of a process that cannot start; one line."""
    assert process.popen.wait(60) == 2
    time.sleep(0.2)
    lines = [line for line in process.err if not line.startswith("{")]
    assert len(lines) == 1, process.err
    assert "Traceback" not in lines[0]
    return lines[0]


def test_it_refuses_to_start_with_a_broken_pack(
    launch: Callable[..., Process], pack_path: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(pack_path, broken)
    for path in broken.glob("*.onnx"):
        path.write_bytes(path.read_bytes()[:5000])
    line = one_line(launch(PACK=broken))
    assert str(broken) in line
    assert ".onnx" in line


def test_it_refuses_to_start_without_a_pack_or_port_or_database(launch: Callable[..., Process], tmp_path: Path) -> None:
    assert "no-such-pack" in one_line(launch(PACK="no-such-pack"))
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        assert str(taken.getsockname()[1]) in one_line(launch(PORT=taken.getsockname()[1]))
    (tmp_path / "file").write_text("")
    assert "cannot start" in one_line(launch(DATA_DIR=tmp_path / "file" / "below"))
