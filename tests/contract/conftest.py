"""A live service on a real socket, a server of photos beside it, and a client written as the vendor's page has it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.server
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import requests
    from fastapi import FastAPI

    from facematch_local.matcher import FaceMatcher
    from facematch_server.store import Store
    from tests.schema_memory import SchemaMemory
    from tests.service_process import Process

V2 = "/api/v2/ekyc/face_matching"


class LogLines(logging.Handler):
    """Keeps formatted log lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@dataclass
class LoopWatch:
    """Looks every few milliseconds whether the event loop gets round.

    Attributes:
        held: the longest time, in seconds of the loop's own computing, between two looks. What other threads and
            programs take of the machine meanwhile is not in it.
        late: the same by the clock: also what holds the interpreter in other threads.
    """

    held: float = 0.0
    late: float = 0.0
    ended: bool = False

    async def run(self) -> None:
        """Measure until the end."""
        while not self.ended:
            computed, clock = time.thread_time(), time.perf_counter()
            await asyncio.sleep(0.005)
            self.held = max(self.held, time.thread_time() - computed)
            self.late = max(self.late, time.perf_counter() - clock - 0.005)


@dataclass
class Live:
    """A running service.

    Attributes:
        url: scheme, host and port.
        port: the port.
        auth: credentials of a key without a quota.
        store: its database.
        app: the application.
        logs: its log lines, as printed.
        loop: its event loop, in a separate thread.
    """

    url: str
    port: int
    auth: tuple[str, str]
    store: Store
    app: FastAPI
    logs: list[str]
    loop: asyncio.AbstractEventLoop

    def post(self, path: str = V2, **options: Any) -> requests.Response:
        """A POST with the key of `auth`, unless `options` name another."""
        return self.send("POST", path, **options)

    def get(self, path: str = V2, **options: Any) -> requests.Response:
        """A GET with the key of `auth`, unless `options` name another."""
        return self.send("GET", path, **options)

    def send(self, method: str, path: str = V2, **options: Any) -> requests.Response:
        """Any request."""
        import requests

        options.setdefault("auth", self.auth)
        options.setdefault("timeout", 60)
        return requests.request(method, self.url + path, **options)  # noqa: S113

    def raw(self, *pieces: bytes, seconds: float = 20) -> bytes:
        """Send bytes; give back all that comes until the server closes or falls silent for `seconds`."""
        received = b""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=seconds)) as sock:
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    sock.sendall(piece)
            with contextlib.suppress(TimeoutError, ConnectionError):
                while chunk := sock.recv(65536):
                    received += chunk
        return received

    @contextlib.contextmanager
    def watched_loop(self) -> Iterator[LoopWatch]:
        """How long the event loop is held while the block runs."""
        watch = LoopWatch()
        task = asyncio.run_coroutine_threadsafe(watch.run(), self.loop)
        try:
            yield watch
        finally:
            watch.ended = True
            task.result(20)

    @property
    def basic(self) -> str:
        """The `Authorization` header of `auth`."""
        return "Basic " + base64.b64encode(":".join(self.auth).encode()).decode()


@pytest.fixture(scope="session")
def start(
    matcher: FaceMatcher,
    tmp_path_factory: pytest.TempPathFactory,
    schema_memory: SchemaMemory,
    certificates_read_once: None,
) -> Iterator[Callable[..., Live]]:
    """`start(no_face_as="error3", ...)`: a live service with these settings; all end with the session.

    `matcher=` replaces the models, for tests of the code around them. Photos are decoded in its threads, which spares
    every service the start of processes, unless `decode_processes=` says otherwise. `send_buffer=` is the size in bytes
    of what the system keeps for a client that does not read.
    """
    from facematch_server.app import create_app
    from facematch_server.logs import set_up_logs
    from facematch_server.running.serve import new_server
    from facematch_server.settings import Settings
    from facematch_server.store import KeySettings, Store

    shared_matcher = matcher
    servers: list[Any] = []
    with contextlib.ExitStack() as stack:

        def start(*, matcher: Any = None, send_buffer: int = 0, **options: Any) -> Live:
            folder: Path = tmp_path_factory.mktemp("live")
            settings = Settings(data_dir=str(folder), **{"decode_processes": 0, **options})
            # The lines are kept as the service's own handler would print them.
            set_up_logs("DEBUG", "json")
            keeper = LogLines()
            keeper.setFormatter(logging.getLogger().handlers[0].formatter)
            logging.getLogger().handlers[:] = [keeper]
            store = stack.enter_context(closing(Store.open(settings.store_url)))
            new = store.create_key(KeySettings(name="contract tests"))
            app = create_app(settings, matcher or shared_matcher, store)
            sock = socket.create_server(("127.0.0.1", 0))
            if send_buffer:  # accepted connections inherit it
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
            port = sock.getsockname()[1]
            server = new_server(settings, app, lifespan="on")
            loops: list[asyncio.AbstractEventLoop] = []

            async def serve() -> None:
                loops.append(asyncio.get_running_loop())
                await server.serve([sock])

            thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
            thread.start()

            servers.append(server)
            stack.callback(thread.join, 15)
            while not server.started and thread.is_alive():
                time.sleep(0.02)
            assert server.started
            auth = (new.api_key, new.api_secret)
            return Live(f"http://127.0.0.1:{port}", port, auth, store, app, keeper.lines, loops[0])

        yield start
        for server in servers:  # all at once: each takes a moment
            server.should_exit = True


@pytest.fixture(scope="session")
def live(start: Callable[..., Live]) -> Live:
    """The service as it is by default, with photos decoded in processes."""
    return start(decode_processes=None)


@pytest.fixture
def launch(pack_path: Path, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """`launch(PORT=8000)`: a service process with these FACEMATCH_ options."""
    from tests.service_process import launching

    with launching(pack_path, tmp_path) as launch:
        yield launch


@dataclass
class PhotoServer:
    """Serves bytes by path; notes the paths with queries that were asked for."""

    url: str
    photos: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def photo_server(astronaut_jpeg: bytes, group_photo_jpeg: bytes) -> Iterator[PhotoServer]:
    """A web server with `/astronaut.jpg`, `/group.jpg` and an `/empty` one; other paths are 404."""
    state = PhotoServer("", {"/astronaut.jpg": astronaut_jpeg, "/group.jpg": group_photo_jpeg, "/empty": b""})

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            photo = state.photos.get(self.path.partition("?")[0])
            self.send_response(404 if photo is None else 200)
            self.send_header("Content-Length", str(len(photo or b"")))
            self.end_headers()
            self.wfile.write(photo or b"")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield state
        server.shutdown()


@pytest.fixture(scope="session")
def envelope() -> Callable[[requests.Response], dict[str, Any]]:
    """`envelope(response)`: its body, after checking that it has the shape every reply has."""

    def check(response: requests.Response) -> dict[str, Any]:
        assert response.headers["content-type"] == "application/json"
        content: dict[str, Any] = json.loads(response.text)
        assert list(content) == ["data", "errorCode", "errorMessage"]
        assert isinstance(content["errorCode"], str)
        assert isinstance(content["errorMessage"], str)
        assert (content["data"] is not None) == (content["errorCode"] == "0")
        return content

    return check
