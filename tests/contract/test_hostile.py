"""Hostile photos at a service in a separate process: refused at once or ended in time, without effect on others."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.hostile_photos import HOSTILE

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="decoders need Linux")]

V2 = "/api/v2/ekyc/face_matching"
ROOT = Path(__file__).resolve().parents[2]
MISBEHAVING = ROOT / "tests/facematch_server/decoding/misbehaving.py"

CODE = """
import sys
from functools import partial
from facematch_local.imaging.photo import ImageLimits
from facematch_server.decoding import forkserver
from facematch_server.decoding.opening import open_decoders
from facematch_server.running.serve import serve
from facematch_server.settings import Settings
from facematch_server.store import KeySettings, Store, default_database_url

settings = Settings()
for name in ("stranger", "honest"):
    key = Store.open(settings.store_url).create_key(KeySettings(name=name))
    print(name, key.api_key, key.api_secret, flush=True)
class Stuck:
    "Decoding in a thread of the service, which cannot be interrupted."

    alive = ended = 0

    def decode(self, *_):
        import time
        time.sleep(1000)

    def wait_until_ready(self):
        pass

    close = wait_until_ready

if sys.argv[1:] == ["stuck"]:
    sys.exit(serve(settings, lambda *_: Stuck()))
program = sys.argv[1:] or ("-m", "facematch_server.decoding.forkserver")
command = partial(forkserver.command, program=program)
sys.exit(serve(settings, lambda settings, cores: open_decoders(
    settings.decode_processes, ImageLimits(), cores, settings.threads or cores.count, command)))
"""


@dataclass
class Service:
    """A running service.

    Attributes:
        popen: its process.
        url: scheme, host and port.
        keys: credentials by name.
        err: lines of its log.
    """

    popen: subprocess.Popen[str]
    url: str = ""
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    err: list[str] = field(default_factory=list)

    def post(self, photo: bytes, other: bytes | None = None, key: str = "stranger") -> requests.Response:
        """Compare two photos, by default the same one."""
        return requests.post(
            self.url + V2,
            params={"format_type": "file"},
            files={"img1": photo, "img2": photo if other is None else other},
            auth=self.keys[key],
            timeout=90,
        )

    def code(self, *arguments: Any, **options: Any) -> str:
        """`errorCode` of a comparison."""
        return str(self.post(*arguments, **options).json()["errorCode"])

    @property
    def family(self) -> set[int]:
        """Processes that it started, directly or not."""
        psutil = pytest.importorskip("psutil")
        return {child.pid for child in psutil.Process(self.popen.pid).children(recursive=True)}


@pytest.fixture
def launch(pack_path: Path, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """`launch(program, DEADLINE_SECONDS=3)`: a service with two keys; with another program as its fork server."""
    processes = []

    def launch(*program: str, **options: object) -> Service:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEMATCH_")}
        given = {"PACK": pack_path, "DATA_DIR": tmp_path, "PORT": 0, "THREADS": 1, **options}
        environment |= {f"FACEMATCH_{name}": str(value) for name, value in given.items()}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        popen = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", CODE, *program],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(popen)
        assert popen.stdout
        assert popen.stderr
        service = Service(popen)
        for _ in range(2):
            name, api_key, secret = popen.stdout.readline().split()
            service.keys[name] = (api_key, secret)
        for stream, kept in ((popen.stdout, []), (popen.stderr, service.err)):
            threading.Thread(target=lambda s=stream, k=kept: k.extend(s), daemon=True).start()
        until(lambda: any('"listening"' in line for line in service.err), 60)
        line = next(line for line in service.err if '"listening"' in line)
        service.url = "http://" + json.loads(line)["address"]
        return service

    yield launch
    for popen in processes:
        popen.kill()
        popen.wait()


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_hostile_photos_are_refused_at_once(launch: Callable[..., Service], astronaut_jpeg: bytes) -> None:
    service = launch()
    assert service.code(astronaut_jpeg) == "0"
    for name, make in HOSTILE.items():
        photo = make()
        begun = time.monotonic()
        assert service.code(photo) == "3", name
        assert service.code(astronaut_jpeg, photo) == "3", name
        assert time.monotonic() - begun < 5, name
    assert service.code(astronaut_jpeg) == "0"
    assert not any('"ERROR"' in line for line in service.err)


def test_a_crash_costs_one_request(launch: Callable[..., Service], astronaut_jpeg: bytes) -> None:
    service = launch(str(MISBEHAVING))
    for photo in (b"CRASH", b"EXIT", b"EAT"):
        assert service.code(photo, astronaut_jpeg) == "3"
        assert service.code(astronaut_jpeg) == "0"
    assert any('"decoder ended by signal 11"' in line for line in service.err)
    assert "facematch_decoders_ended 3.0" in requests.get(service.url + "/metrics", timeout=10).text


def test_a_hang_ends_at_the_deadline_and_delays_nobody(launch: Callable[..., Service], astronaut_jpeg: bytes) -> None:
    """One thread, and a client that sends eight photos that hang, two at a time."""
    service = launch(str(MISBEHAVING), DEADLINE_SECONDS=6)
    took: list[float] = []
    alone = min(timed(lambda: service.code(astronaut_jpeg, key="honest")) for _ in range(3))
    with ThreadPoolExecutor(8) as threads:

        def hang() -> tuple[int, float]:
            begun = time.monotonic()
            return service.post(b"HANG").status_code, time.monotonic() - begun

        hanging = [threads.submit(hang) for _ in range(8)]
        time.sleep(1)
        begun = time.monotonic()
        while time.monotonic() - begun < 4:
            took.append(timed(lambda: service.code(astronaut_jpeg, key="honest")))
        outcomes = [one.result() for one in hanging]
    assert {status for status, _ in outcomes} == {503}
    assert max(seconds for _, seconds in outcomes) < 7
    # Patience (0.5 s) for the one that took the thread a moment before, and its own time.
    assert max(took) < 1 + 4 * alone, (alone, took)
    # The work is over as well.
    until(lambda: len(service.family) <= 2, 2)
    assert service.code(astronaut_jpeg) == "0"


def timed(work: Callable[[], str]) -> float:
    begun = time.monotonic()
    assert work() == "0"
    return time.monotonic() - begun


def test_sigterm_ends_it_whatever_is_decoded(launch: Callable[..., Service]) -> None:
    service = launch(str(MISBEHAVING), DEADLINE_SECONDS=60, SHUTDOWN_SECONDS=1)
    family = hang(service)
    service.popen.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    assert service.popen.wait(20) == 0
    assert time.monotonic() - begun < 1 + 2
    until(lambda: not any(map(alive, family)), 1)


def test_a_second_signal_ends_it_at_once(launch: Callable[..., Service]) -> None:
    service = launch(str(MISBEHAVING), DEADLINE_SECONDS=60, SHUTDOWN_SECONDS=50)
    family = hang(service)
    service.popen.send_signal(signal.SIGTERM)
    until(lambda: any('"draining"' in line for line in service.err))
    service.popen.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    assert service.popen.wait(20) == 0
    assert time.monotonic() - begun < 1.5
    until(lambda: not any(map(alive, family)), 1)


def test_in_one_process_the_end_comes_too(launch: Callable[..., Service]) -> None:
    """Without decoders nothing can end the work but the end of the process, and that comes."""
    service = launch("stuck", DEADLINE_SECONDS=60, SHUTDOWN_SECONDS=1)
    assert not hang(service)
    begun = time.monotonic()
    service.popen.send_signal(signal.SIGTERM)
    assert service.popen.wait(20) == 0
    assert time.monotonic() - begun < 1 + 2


def test_work_that_outlives_its_request_puts_no_end_off(launch: Callable[..., Service], astronaut_jpeg: bytes) -> None:
    """The request got its reply at its deadline, but its thread runs on: the end does not wait for it."""
    service = launch("stuck", DEADLINE_SECONDS=1, SHUTDOWN_SECONDS=50)
    assert service.post(astronaut_jpeg).status_code == 503
    begun = time.monotonic()
    service.popen.send_signal(signal.SIGTERM)
    assert service.popen.wait(60) == 0
    assert time.monotonic() - begun < 6


def test_who_is_cut_off_on_the_way_down_is_told_so(launch: Callable[..., Service]) -> None:
    service = launch(BODY_SECONDS=60, DEADLINE_SECONDS=60, SHUTDOWN_SECONDS=1)
    port = int(service.url.rpartition(":")[2])
    key = base64.b64encode(":".join(service.keys["honest"]).encode()).decode()
    request = (
        f"POST {V2}?format_type=file HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {key}\r\nContent-Length: 9\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        sock.sendall(request.encode())
        until(lambda: bool(re.search(r"facematch_places_taken 1\.0", metrics(service))))
        service.popen.send_signal(signal.SIGTERM)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while piece := sock.recv(65536):
                answer += piece
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert list(json.loads(answer.partition(b"\r\n\r\n")[2])) == ["data", "errorCode", "errorMessage"]
    assert service.popen.wait(20) == 0
    assert not any("Exception in ASGI" in line for line in service.err), service.err


def test_without_decoders_hostile_photos_are_refused_all_the_same(
    launch: Callable[..., Service], astronaut_jpeg: bytes
) -> None:
    service = launch(DECODE_PROCESSES=0)
    assert not service.family
    assert service.code(HOSTILE["jpeg scans"]()) == "3"
    assert service.code(astronaut_jpeg) == "0"


def test_kill_minus_nine_leaves_no_decoder(launch: Callable[..., Service]) -> None:
    service = launch(str(MISBEHAVING), DEADLINE_SECONDS=60)
    family = hang(service)
    assert len(family) >= 2
    service.popen.kill()
    until(lambda: not any(map(alive, family)), 2)


def hang(service: Service) -> set[int]:
    """Have a photo decoded that hangs; the processes of the service."""

    def post() -> None:
        with contextlib.suppress(requests.RequestException):
            service.post(b"HANG")

    threading.Thread(target=post, daemon=True).start()
    until(lambda: bool(re.search(r"facematch_places_taken 1\.0", metrics(service))))
    time.sleep(0.5)
    return service.family


def metrics(service: Service) -> str:
    return requests.get(service.url + "/metrics", timeout=10).text
