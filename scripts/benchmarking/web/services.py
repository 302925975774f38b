"""The services that the benchmark starts on loopback, with all cores."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarking.calls.ways import Setting
from scripts.benchmarking.photos import Pair
from scripts.benchmarking.samples import AbsentError
from scripts.scaling.measuring.conditions import ROOT
from scripts.scaling.measuring.service import MeasureError, Running, service


@dataclass(frozen=True, slots=True)
class Peer:
    """A running service of other software: its process, and its port on 127.0.0.1."""

    pid: int
    port: int


@contextmanager
def our_service(pack: str) -> Iterator[Running]:
    """`facematch serve` with its default settings and one key.

    Raises:
        AbsentError: it does not start.
    """
    try:
        with service(pack, os.sched_getaffinity(0), settings={"URL_POLICY": "auto"}) as running:
            yield running
    except MeasureError as error:
        raise AbsentError(str(error)) from None


@contextmanager
def peer_service(way: str, setting: Setting) -> Iterator[Peer]:
    """Other software behind FastAPI, see `plain_service`.

    Raises:
        AbsentError: it does not start.
    """
    command = [sys.executable, "-m", "scripts.benchmarking.web.plain_service", way, str(setting.pack)]
    command += [] if setting.packages is None else ["--packages", str(setting.packages)]
    path = os.pathsep.join([str(ROOT), str(ROOT / "server"), *filter(None, sys.path)])
    # uvicorn ends by the signal, so the process cannot remove its temporary files.
    with tempfile.TemporaryDirectory(prefix="facematch-benchmark-") as folder:
        environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": folder}
        process = subprocess.Popen(  # noqa: S603
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                if not line.strip().isdigit():
                    process.kill()
                    raise AbsentError(_last_line(process.communicate()[1]))
                yield Peer(process.pid, int(line))
            finally:
                process.kill()


@contextmanager
def photo_server(pair: Pair) -> Iterator[tuple[str, str]]:
    """A server of both photos in this process, for the url mode; the URLs of the photos."""
    photos = {"/card.jpg": pair.card, "/portrait.jpg": pair.portrait}
    with _PhotoServer(("127.0.0.1", 0), _handler(photos)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        yield f"{base}/card.jpg", f"{base}/portrait.jpg"
        server.shutdown()
        thread.join()


class _PhotoServer(http.server.ThreadingHTTPServer):
    # The default of 5 drops connections of eight clients with two photos each; they then wait a second.
    request_queue_size = 256


def _handler(photos: Mapping[str, bytes]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            photo = photos[self.path]
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(photo)))
            self.end_headers()
            self.wfile.write(photo)

        def log_message(self, *_: object) -> None:
            return

    return Handler


def pack_folder(name: str) -> Path:
    """The folder of a model pack by its name or path.

    Raises:
        PackError: there is none.
    """
    from facematch_local.packs import find_pack

    return find_pack(name).folder


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it does not start"
