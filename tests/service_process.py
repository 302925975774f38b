"""The service as a separate process."""

from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CODE = "import sys; from facematch_server import run; from facematch_server.settings import Settings; "


@dataclass
class Process:
    """A service process."""

    popen: subprocess.Popen[str]
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)

    def wait_for(self, pattern: str, lines: list[str]) -> re.Match[str]:
        """Wait for the first match in its output."""
        for _ in range(3000):
            if found := re.search(pattern, "".join(lines)):
                return found
            if self.popen.poll() is not None:
                time.sleep(0.2)  # its last lines
                found = re.search(pattern, "".join(lines))
                assert found, (pattern, self.out, self.err)
                return found
            time.sleep(0.02)
        raise AssertionError((pattern, self.out, self.err))

    @property
    def ports(self) -> list[int]:
        """Ports it says it listens on."""
        self.wait_for(r"listening", self.err)
        time.sleep(0.2)
        return [int(port) for port in re.findall(r'"address": "[^"]*:(\d+)"', "".join(self.err))]


@contextmanager
def launching(pack_path: Path, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """`launch(PORT=8000)`: a process with these FACEMATCH_ options."""
    processes = []

    def launch(**options: object) -> Process:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEMATCH_")}
        given = {"PACK": pack_path, "DATA_DIR": tmp_path, "PORT": 0, **options}
        environment |= {f"FACEMATCH_{name}": str(value) for name, value in given.items()}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        popen = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", CODE + "sys.exit(run(Settings()))"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        process = Process(popen)
        for stream, lines in ((popen.stdout, process.out), (popen.stderr, process.err)):
            threading.Thread(target=lambda s=stream, kept=lines: kept.extend(s), daemon=True).start()
        processes.append(popen)
        return process

    try:
        yield launch
    finally:
        for popen in processes:
            popen.kill()
            popen.wait()


def half_sent(url: str, auth: tuple[str, str], photo: bytes) -> tuple[socket.socket, bytes]:
    """A request of which the head and a little of the body are sent, and the rest of the body."""
    head = "--b\r\nContent-Disposition: form-data; name=img{}\r\n\r\n"
    body = b"".join(head.format(n).encode() + photo + b"\r\n" for n in (1, 2)) + b"--b--\r\n"
    basic = base64.b64encode(":".join(auth).encode()).decode()
    request = (
        f"POST /api/v2/ekyc/face_matching?format_type=file HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: Basic {basic}\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
    ).encode()
    sock = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=30)
    sock.sendall(request + body[:1000])
    return sock, body[1000:]
