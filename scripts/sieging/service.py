"""A temporary `facematch serve` with two keys: starting, connecting, memory measurement and stopping."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
SHUTDOWN_SECONDS = 5
START_SECONDS = 120.0


@dataclass(frozen=True)
class Address:
    """Address and credentials of a service; can be passed to another process.

    Attributes:
        port: port on 127.0.0.1.
        auth: API key and secret.
        certificate: path of the certificate to trust; None without TLS.
        imported: an API key with a slow hash of its secret.
    """

    port: int
    auth: tuple[str, str]
    certificate: str | None
    imported: str

    @property
    def basic(self) -> str:
        """The `Authorization` header."""
        return "Basic " + base64.b64encode(":".join(self.auth).encode()).decode()

    def bare(self, seconds: float, buffer: int | None = None) -> socket.socket:
        """Open a connection without a TLS handshake, with a receive buffer of `buffer` bytes.

        `seconds` is the timeout.
        """
        sock = socket.socket()
        try:
            sock.settimeout(seconds)
            if buffer is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            sock.connect(("127.0.0.1", self.port))
        except BaseException:
            sock.close()
            raise
        return sock

    def connect(self, seconds: float, buffer: int | None = None) -> socket.socket:
        """Open a connection for requests, with the TLS handshake if the service uses TLS."""
        sock = self.bare(seconds, buffer)
        if self.certificate is None:
            return sock
        try:
            return ssl.create_default_context(cafile=self.certificate).wrap_socket(sock, server_hostname="localhost")
        except BaseException:
            sock.close()
            raise


@dataclass(frozen=True)
class Service:
    """A running service.

    Attributes:
        popen: process of the service.
        honest, hostile: address with the two keys.
        options: its settings, without the prefix `FACEMATCH_`.
        log: path of its log.
    """

    popen: subprocess.Popen[bytes]
    honest: Address
    hostile: Address
    options: dict[str, str]
    log: Path

    def stop(self) -> float | None:
        """Send SIGTERM; return the seconds until the service ends, None if it does not end."""
        self.popen.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        try:
            self.popen.wait(SHUTDOWN_SECONDS + 30)
        except subprocess.TimeoutExpired:
            return None
        return time.monotonic() - begun


@contextmanager
def running_service(folder: Path, pack: str, tls: bool, **options: str) -> Iterator[Service]:
    """Run a service on loopback with its data in `folder`; kill it at the end if it still runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEMATCH_")}
    if "FACEMATCH_MODELS" in os.environ:
        environment["FACEMATCH_MODELS"] = os.environ["FACEMATCH_MODELS"]
    given = {"PACK": pack, "DATA_DIR": str(folder), "PORT": "0", "SHUTDOWN_SECONDS": str(SHUTDOWN_SECONDS), **options}
    certificate = _certificate(folder) if tls else None
    if certificate is not None:
        given["TLS_CERT"] = certificate
    environment |= {f"FACEMATCH_{name}": value for name, value in given.items()}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "server"), *filter(None, sys.path)])
    honest, hostile, imported = _keys(folder)
    log = folder / "log"
    with log.open("wb") as written:
        command = [sys.executable, "-m", "facematch_server", "serve"]
        popen = subprocess.Popen(command, env=environment, stdout=written, stderr=written)  # noqa: S603
        try:
            port = _port(popen, log)
            ways = (Address(port, auth, certificate, imported) for auth in (honest, hostile))
            yield Service(popen, *ways, given, log)
        finally:
            popen.kill()
            popen.wait()


def _keys(folder: Path) -> tuple[tuple[str, str], tuple[str, str], str]:
    from facematch_server.store import KeyPair, KeySettings, Store, default_database_url

    with closing(Store.open(default_database_url({"FACEMATCH_DATA_DIR": str(folder)}))) as store:
        honest, hostile = (store.create_key(KeySettings(name=name)) for name in ("honest", "hostile"))
        store.import_keys([KeyPair("imported-key", "a secret of somebody else's choice")])
    return (honest.api_key, honest.api_secret), (hostile.api_key, hostile.api_secret), "imported-key"


def _port(popen: subprocess.Popen[bytes], log: Path) -> int:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and popen.poll() is None:
        for line in log.read_text("utf-8", "replace").splitlines():
            if '"listening"' in line:
                return int(json.loads(line)["address"].rpartition(":")[2])
        time.sleep(0.1)
    raise SystemExit(f"the service did not start; its log:\n{log.read_text('utf-8', 'replace')}")


def _certificate(folder: Path) -> str:
    """Create a certificate for localhost and its key in one file; return the path."""
    path = folder / "tls.pem"
    files = ["-keyout", str(path), "-out", str(path), "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *names]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    return str(path)


class MemoryWatch:
    """Measures the memory of a process and its descendants twice a second in a thread.

    Shared memory counts once on Linux (proportional set size), and once per process on other systems.
    """

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.base = self.now()
        self.peak = self.base
        self.peak_decoders = 0.0
        self.most_processes = 1

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def now(self) -> float:
        """Present memory of all processes in MiB."""
        return _mib(self._process) + sum(map(_mib, self._family()))

    def _family(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            family: list[psutil.Process] = self._process.children(recursive=True)
            return family
        return []

    def _run(self) -> None:
        while not self._ended.wait(0.5):
            family = self._family()
            decoders = sum(map(_mib, family))
            self.peak = max(self.peak, _mib(self._process) + decoders)
            self.peak_decoders = max(self.peak_decoders, decoders)
            self.most_processes = max(self.most_processes, 1 + len(family))


def _mib(process: psutil.Process) -> float:
    try:
        full = process.memory_full_info()
    except (psutil.Error, OSError):  # the process has ended meanwhile
        return 0.0
    return float(getattr(full, "pss", full.rss)) / 2**20


def formula_mib(base: float, threads: int, queue: int = 32) -> float:
    """Maximum memory in MiB for the default limits, by the formula in docs/operating.md.

    Args:
        base: memory of the service when ready, MiB.
        threads: number of inference threads.
        queue: number of requests that may wait.
    """
    body, photo, decoders = 2 * 28.0, 20.0, 3 * threads
    decoding, slots, large = 12e6 * 18 / 2**20 + 128, 24.0, 50e6 * 18 / 2**20 + 128
    return base + (threads + queue) * body + threads * 4 * photo + decoders * (decoding + slots) + large
