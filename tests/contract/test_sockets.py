"""The running service opens no socket but the one it listens on.

An audit hook in the service's process reports every socket that Python binds, connects or sends from, and every name
that it looks up; sockets of native libraries show in the process's list of connections.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

CODE = """
import os, sys
told = open(sys.argv[1], "a", buffering=1)
EVENTS = ("socket.bind", "socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
          "socket.gethostbyname", "subprocess.Popen", "os.fork", "os.exec", "os.posix_spawn", "os.system")

def hook(event, arguments):
    if event in EVENTS:
        told.write(f"{event} {arguments[1:] if event.startswith('socket.') else arguments}\\n")

sys.addaudithook(hook)
from facematch_server import run
from facematch_server.settings import Settings
sys.exit(run(Settings()))
"""


@dataclass
class Watched:
    """A service whose sockets are reported."""

    process: subprocess.Popen[str]
    port: int
    auth: tuple[str, str]
    told: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def events(self) -> list[str]:
        return self.told.read_text("utf-8").splitlines()


@pytest.fixture
def watched(pack_path: Path, tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """`watched(URL_POLICY="off")`: a service with these options."""
    processes: list[subprocess.Popen[str]] = []

    def start(**options: str) -> Watched:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEMATCH_")}
        given = {"PACK": str(pack_path), "DATA_DIR": str(tmp_path), "PORT": "0", **options}
        environment |= {f"FACEMATCH_{name}": value for name, value in given.items()}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        log = tmp_path / "log"
        with log.open("w") as stream:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", CODE, str(tmp_path / "told")],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
            )
        processes.append(process)
        assert process.stdout
        key: dict[str, str] = {}
        while len(key) < 2:
            line = process.stdout.readline()
            assert line, log.read_text()
            name, _, value = line.strip().partition(":")
            if name in ("api_key", "api_secret"):
                key[name] = value.strip()
        while not (lines := [line for line in log.read_text().splitlines() if '"listening"' in line]):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        port = int(json.loads(lines[0])["address"].rpartition(":")[2])
        return Watched(process, port, (key["api_key"], key["api_secret"]), tmp_path / "told")

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_no_socket_but_its_own(watched: Callable[..., Watched], astronaut_jpeg: bytes) -> None:
    psutil = pytest.importorskip("psutil")
    service = watched(URL_POLICY="off")
    path = "/api/v2/ekyc/face_matching"
    with requests.Session() as session:
        session.auth = service.auth
        files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
        reply = session.post(service.url + path, params={"format_type": "file"}, files=files, timeout=60).json()
        assert reply["data"]["match"] == "1"
        assert session.post(service.url + "/v1/compare", files=files, timeout=60).status_code == 200
        query = {"format_type": "url", "img1": "http://192.0.2.1/a.jpg", "img2": "http://photos.example/b.jpg"}
        assert session.get(service.url + path, params=query, timeout=60).json()["errorCode"] == "2"
        for page in ("/healthz", "/readyz", "/metrics", "/", "/docs", "/openapi.json"):
            assert session.get(service.url + page, timeout=60).status_code == 200

        process = psutil.Process(service.process.pid)
        # Accepted connections carry the port of the listening socket.
        assert {connection.laddr.port for connection in process.net_connections("inet")} == {service.port}
        # Its only other processes are the decoders and their fork server, which have no such socket at all.
        for child in process.children(recursive=True):
            assert "facematch_server.decoding.forkserver" in child.cmdline()
            assert not child.net_connections("inet")
        assert len(process.children()) <= 1
    # urllib3, which insightface imports, tries once while it is loaded whether this machine has IPv6: a socket bound to
    # the loopback address and closed at once.
    probe = f"socket.bind {(('::1', 0),)}"
    # Decoders are talked to over pairs of Unix sockets: messages without an address, for which nothing was connected.
    over_pairs = f"socket.sendmsg {(None,)}"
    events = [event for event in service.events() if event not in (probe, over_pairs)]
    started = [event for event in events if event.startswith("subprocess.Popen ")]
    assert all("facematch_server.decoding.forkserver" in event for event in started)
    assert len(started) <= 1
    assert [event for event in events if event not in started] == [f"socket.bind {(('127.0.0.1', 0),)}"]


@pytest.mark.slow
def test_the_watch_sees_what_the_url_mode_opens(watched: Callable[..., Watched]) -> None:
    """So that the test above means something."""
    service = watched(URL_POLICY="any")
    url = service.url + "/nothing.jpg"
    query = {"format_type": "url", "img1": url, "img2": url}
    requests.get(
        service.url + "/api/v2/ekyc/face_matching", params=query, auth=service.auth, timeout=60
    ).raise_for_status()
    assert any(event.startswith("socket.connect ") for event in service.events())
