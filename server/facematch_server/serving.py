"""Runs the service: sockets, signals, the way up and the way down."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI

from facematch_local.errors import FacematchError
from facematch_server.app import create_app, create_internal_app
from facematch_server.ending import HardEnd
from facematch_server.inference import Cores
from facematch_server.logs import log, log_fault, set_up_logs
from facematch_server.memory import keep_memory_level
from facematch_server.protocol import limited_protocol
from facematch_server.scenarios import SCENARIO_HEADER
from facematch_server.services import new_cores, open_matcher, open_store, photo_decoder, start_decoders
from facematch_server.settings import Settings

if TYPE_CHECKING:
    from facematch_server.decoding.pool import DecoderPool
    from facematch_server.store import Store

# Longer than uvicorn's 64 KiB would be no use (proxies cut at 8 to 32 KiB); shorter than two long URLs would hurt.
_HEAD_BYTES = 64 * 1024

# After a signal: for what is left once no request is (threads, the database, the interpreter itself) ...
_IN_ORDER_SECONDS = 1.0
# ... and after a second one for everything.
_AT_ONCE_SECONDS = 0.5


class StartError(FacematchError):
    """The service cannot start; the message says why and what to do."""


def serve(settings: Settings, start_decoders: Callable[[Settings, Cores], DecoderPool | None] = start_decoders) -> int:
    """Run the service until SIGINT or SIGTERM.

    Args:
        settings: the options.
        start_decoders: starts the processes that decode photos, if any.

    Returns:
        0 after an orderly end, 2 when it could not start (told in one line on standard error).
    """
    set_up_logs(settings.log_level, settings.log_format)
    keep_memory_level()
    with ExitStack() as stack:
        try:
            announce_scenarios(settings)
            check_tls(settings)
            sockets = [stack.enter_context(closing(sock)) for sock in _listen(settings)]
            cores = new_cores(settings)
            # First of all: they load what they need while this process loads the models.
            decoders = start_decoders(settings, cores)
            if decoders is not None:
                stack.callback(decoders.close)
            _calm_libraries()
            matcher = open_matcher(settings, cores, photo_decoder(settings, cores, decoders))
            if decoders is not None:
                decoders.wait_until_ready()
            store = stack.enter_context(closing(open_store(settings)))
            first_key(store, settings, sockets[0].getsockname()[1])
            app = create_app(settings, matcher, store, cores=cores, decoders=decoders)
        except FacematchError as error:
            print(f"facematch: cannot start: {error}", file=sys.stderr)  # noqa: T201
            return 2
        return asyncio.run(_run(settings, app, sockets))


def announce_scenarios(settings: Settings) -> None:
    """Say loudly that replies may be made up.

    Raises:
        StartError: others could reach the service, and `scenarios_anyway` does not say that this is meant.
    """
    if not settings.scenarios:
        return
    if not (settings.listens_on_loopback_only or settings.scenarios_anyway):
        # Whoever reaches it gets a match from the key `scenario-success`: no accident in production.
        raise StartError(
            f"scenarios answer with made-up matches whoever asks, and {settings.host} can be reached by others; "
            "listen on 127.0.0.1, or set FACEMATCH_SCENARIOS_ANYWAY=true on a network of tests"
        )
    line = "*" * 72
    print(  # noqa: T201
        f"{line}\n  SCENARIOS ARE ON: for tests of clients only.\n"
        "  API keys such as scenario-success or scenario-error-4 take any secret\n"
        f"  and get made-up replies, marked by the header {SCENARIO_HEADER}.\n{line}",
        file=sys.stderr,
        flush=True,
    )


def check_tls(settings: Settings) -> None:
    """Read certificate and key once, for a clear line instead of uvicorn's traceback.

    Raises:
        StartError: they cannot be read, do not belong together, or the key has a passphrase.
    """
    if settings.tls_cert is None:
        if settings.tls_key is not None:
            raise StartError("FACEMATCH_TLS_KEY is set without FACEMATCH_TLS_CERT")
        return
    try:
        # Without `password` OpenSSL would ask for it on the terminal and wait.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except ssl.SSLError as error:
        reason = "they do not belong together" if "MISMATCH" in (error.reason or "") else "not PEM without a passphrase"
        raise StartError(f"FACEMATCH_TLS_CERT and FACEMATCH_TLS_KEY: {reason}") from None
    except OSError as error:
        raise StartError(f"FACEMATCH_TLS_CERT or FACEMATCH_TLS_KEY cannot be read: {error.strerror}") from None


def first_key(store: Store, settings: Settings, port: int) -> None:
    """Create a key if there is none, and print it this once with a line to try it with."""
    new = store.create_first_key()
    if new is None:
        return
    host = settings.host if settings.host not in ("0.0.0.0", "::", "") else "127.0.0.1"  # noqa: S104
    scheme = "http" if settings.tls_cert is None else "https"
    address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    # The one place where a secret is printed: to the terminal, not through the logs.
    print(  # noqa: T201
        "No API key yet, so one was created. It is shown this once; `facematch keys` makes others.\n"
        f"  api_key:    {new.api_key}\n"
        f"  api_secret: {new.api_secret}\n"
        "Try it with two photos:\n"
        f"  curl -u {new.api_key}:{new.api_secret} -F img1=@card.jpg -F img2=@selfie.jpg \\\n"
        f"    '{address}/api/v2/ekyc/face_matching?type1=card&format_type=file'",
        flush=True,
    )


async def _run(settings: Settings, app: FastAPI, sockets: list[socket.socket]) -> int:
    loop = asyncio.get_running_loop()
    # asyncio's own handler prints exceptions with their messages.
    loop.set_exception_handler(lambda _, context: _log_loop_fault(context))
    public = Server(server_config(settings, app, lifespan="on"))
    servers = [public]
    stopping = asyncio.Event()
    in_order = settings.drain_seconds + settings.shutdown_seconds + _IN_ORDER_SECONDS
    with _signals(loop, stopping, servers, HardEnd(), in_order):
        tasks = [asyncio.create_task(public.serve([sockets[0]]))]
        await _started(public, tasks[0])
        if public.started and settings.internal_port is not None:
            internal_app = create_internal_app(settings, app.state.services)
            internal = Server(server_config(settings, internal_app, lifespan="off"))
            servers.append(internal)
            tasks.append(asyncio.create_task(internal.serve([sockets[1]])))
        for sock in sockets if public.started else ():
            log("listening", address="{}:{}".format(*sock.getsockname()[:2]))
        watcher = asyncio.create_task(_go_down_when(stopping, settings, app, servers))
        try:
            await asyncio.gather(*tasks)
        finally:
            watcher.cancel()
    log("stopped")
    # The interpreter's last collection would go over all objects of the libraries for a second or two.
    gc.freeze()
    return 0 if public.started else 2


class Server(uvicorn.Server):
    """A server that leaves signals to `_signals`: there may be two of them in one process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _started(server: uvicorn.Server, task: asyncio.Task[None]) -> None:
    while not server.started and not task.done():
        await asyncio.sleep(0.02)


async def _go_down_when(stopping: asyncio.Event, settings: Settings, app: FastAPI, servers: list[Server]) -> None:
    """Not ready, then no new connections, then the end, with every accepted request answered."""
    await stopping.wait()
    app.state.services.draining = True
    log("draining", seconds=settings.drain_seconds)
    await asyncio.sleep(settings.drain_seconds)
    for server in servers:
        server.should_exit = True


@contextmanager
def _signals(
    loop: asyncio.AbstractEventLoop, stopping: asyncio.Event, servers: list[Server], end: HardEnd, in_order: float
) -> Iterator[None]:
    """Go down on a signal.

    Args:
        loop: the running loop.
        stopping: set by the first signal.
        servers: ended at once by the second.
        end: ends the process where it does not end by itself.
        in_order: seconds that it may take to, after the first signal.
    """

    def on_signal() -> None:
        if stopping.is_set():  # the second one means it
            for server in servers:
                server.should_exit = server.force_exit = True
            end.within(_AT_ONCE_SECONDS)
        end.within(in_order)
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def server_config(settings: Settings, app: FastAPI, lifespan: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=limited_protocol(settings.header_seconds, settings.body_seconds, settings.max_connections),
        ws="none",
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        backlog=256,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )


def _listen(settings: Settings) -> Iterator[socket.socket]:
    yield _bound(settings.host, settings.port)
    if settings.internal_port is not None:
        yield _bound(settings.internal_host or settings.host, settings.internal_port)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise StartError(f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port") from None


def _calm_libraries() -> None:
    """OpenCV starts as many threads as the machine has CPUs, for each resize; requests run side by side already."""
    import cv2

    cv2.setNumThreads(1)


def _log_loop_fault(context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, BaseException):
        log_fault("fault outside a request", error)
