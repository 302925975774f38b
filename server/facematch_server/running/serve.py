"""Runs the service: sockets, signals, start and stop."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI

from facematch_local.errors import FacematchError
from facematch_server.app import create_app, create_internal_app
from facematch_server.assembly import new_cores, open_matcher, open_store, photo_decoder, start_decoders
from facematch_server.http.http1 import MAX_HEAD
from facematch_server.logs import log, log_fault, set_up_logs
from facematch_server.matching.cores import Cores
from facematch_server.running.acceptor import Acceptor, Pause
from facematch_server.running.banner import show_start
from facematch_server.running.descriptors import room_for
from facematch_server.running.hard_stop import HardEnd
from facematch_server.running.http_protocol import LimitedH11Protocol, limited_protocol
from facematch_server.running.listening import BACKLOG, StartError, bind, printed
from facematch_server.running.memory import keep_collections_short, keep_memory_level, return_free_memory
from facematch_server.running.stop_signals import calls
from facematch_server.scenarios.middleware import SCENARIO_HEADER
from facematch_server.settings import Settings, is_loopback

if TYPE_CHECKING:
    from facematch_server.decoding.decoder_pool import DecoderPool

Stops = Callable[[asyncio.AbstractEventLoop, Callable[[], None]], AbstractContextManager[None]]

# A head of `MAX_HEAD` with every byte escaped; `RequestStream` enforces the real limit.
_ESCAPED_HEAD = 4 * MAX_HEAD

# How long a thread may run Python code while another one waits. The event loop waits for it at each step of each
# request: with Python's default of 5 ms, ten steps take 50 ms.
_SWITCH_SECONDS = 0.001

# After a signal: time for the rest once no request is in flight (threads, the database, the interpreter) ...
IN_ORDER_SECONDS = 1.0
# ... and after a second signal for everything.
_AT_ONCE_SECONDS = 0.5


def serve(settings: Settings, start_decoders: Callable[[Settings, Cores], DecoderPool | None] = start_decoders) -> int:
    """Run the service until SIGINT or SIGTERM.

    Args:
        settings: the options.
        start_decoders: starts the processes that decode photos, if any.

    Returns:
        0 after an orderly end, 2 if the service cannot start (one line on standard error says why).
    """
    prepare_process(settings)
    with ExitStack() as stack:
        try:
            ports = prepare(settings, stack)
            cores = new_cores(settings)
            # Early: they load their libraries while this process loads the models.
            decoders = start_decoders(settings, cores)
            if decoders is not None:
                stack.callback(decoders.close)
            matcher = open_matcher(settings, cores, photo_decoder(settings, cores, decoders))
            if decoders is not None:
                decoders.wait_until_ready()
            store = stack.enter_context(closing(open_store(settings)))
            show_start(settings, ports, matcher.pack, store)
            app = create_app(settings, matcher, store, cores=cores, decoders=decoders)
        except FacematchError as error:
            print(f"facematch: cannot start: {error}", file=sys.stderr)  # noqa: T201
            return 2
        return asyncio.run(run_app(settings, app, ports))


def prepare_process(settings: Settings) -> None:
    """Set up logs, allocator, interpreter and libraries; before threads start."""
    set_up_logs(settings.log_level, settings.log_format)
    keep_memory_level()
    sys.setswitchinterval(_SWITCH_SECONDS)


def prepare(settings: Settings, stack: ExitStack) -> list[list[socket.socket]]:
    """Check the settings and bind the ports; `stack` closes them.

    Raises:
        StartError: the service cannot start so.
    """
    announce_scenarios(settings)
    check_tls(settings)
    ports = list(_listen(settings, stack))
    _calm_libraries()
    return ports


def announce_listening(ports: Sequence[Sequence[socket.socket]]) -> None:
    """Log the addresses."""
    for sock in (sock for sockets in ports for sock in sockets):
        host, port = sock.getsockname()[:2]
        log("listening", address=f"{printed(host)}:{port}")


def announce_scenarios(settings: Settings) -> None:
    """Print a banner: some replies are synthetic.

    Raises:
        StartError: other machines can reach the service, and `scenarios_anyway` does not allow that.
    """
    if not settings.scenarios:
        return
    if not (settings.listens_on_loopback_only or settings.scenarios_anyway):
        # Every client gets a match with the key `scenario-success`: this must not happen in production by accident.
        hosts = [settings.host] if settings.internal_port is None else [settings.host, settings.internal_listen_host]
        opened = " and ".join(dict.fromkeys(host or "0.0.0.0" for host in hosts if not is_loopback(host)))  # noqa: S104
        raise StartError(
            f"scenarios give every client synthetic matches, and other machines can reach {opened}; "
            "listen on 127.0.0.1, or set FACEMATCH_SCENARIOS_ANYWAY=true on a test network"
        )
    line = "*" * 72
    print(  # noqa: T201
        f"{line}\n  SCENARIOS ARE ON: for tests of clients only.\n"
        "  API keys such as scenario-success or scenario-error-4 take any secret\n"
        f"  and get synthetic replies, marked by the header {SCENARIO_HEADER}.\n{line}",
        file=sys.stderr,
        flush=True,
    )


def check_tls(settings: Settings) -> None:
    """Read certificate and key once, to report errors in one line instead of uvicorn's traceback.

    Raises:
        StartError: they cannot be read, do not belong together, or the key has a passphrase.
    """
    if settings.tls_cert is None:
        if settings.tls_key is not None:
            raise StartError("FACEMATCH_TLS_KEY is set without FACEMATCH_TLS_CERT; set both, or neither")
        return
    try:
        # Without `password`, OpenSSL would ask for it on the terminal and wait.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except ssl.SSLError as error:
        reason = "they do not belong together" if "MISMATCH" in (error.reason or "") else "not PEM without a passphrase"
        raise StartError(f"FACEMATCH_TLS_CERT and FACEMATCH_TLS_KEY: {reason}") from None
    except OSError as error:
        raise StartError(f"FACEMATCH_TLS_CERT or FACEMATCH_TLS_KEY cannot be read: {error.strerror}") from None


async def run_app(
    settings: Settings,
    app: FastAPI,
    ports: Sequence[list[socket.socket]],
    *,
    stops: Stops = calls,
    started: Callable[[], object] | None = None,
    pause: Pause | None = None,
) -> int:
    """Answer requests until told to stop.

    Args:
        settings: the options.
        app: the public application.
        ports: sockets of the public and the internal port.
        stops: calls a function for every order to stop; default for signals.
        started: called when the ports are open; default: log the addresses.
        pause: see `Acceptor`.

    Returns:
        The exit code: 2 if the application did not start.
    """
    loop = asyncio.get_running_loop()
    # asyncio's default handler prints exceptions with their messages.
    loop.set_exception_handler(lambda _, context: _log_loop_fault(context))
    public = new_server(settings, app, lifespan="on", pause=pause)
    servers = [public]
    stopping = asyncio.Event()
    end = HardEnd()

    def on_signal() -> None:
        if stopping.is_set():  # the second signal: stop at once
            for server in servers:
                server.should_exit = server.force_exit = True
            end.within(_AT_ONCE_SECONDS)
        end.within(settings.drain_seconds + settings.shutdown_seconds + IN_ORDER_SECONDS)
        stopping.set()

    with stops(loop, on_signal):
        tasks = [asyncio.create_task(public.serve(ports[0]))]
        await _started(public, tasks[0])
        if public.started and settings.internal_port is not None:
            internal = new_server(settings, create_internal_app(settings, app.state.services), lifespan="off")
            servers.append(internal)
            tasks.append(asyncio.create_task(internal.serve(ports[1])))
        if public.started:
            started() if started else announce_listening(ports)
        watcher = asyncio.create_task(_go_down_when(stopping, settings, app, servers))
        try:
            await asyncio.gather(*tasks)
        finally:
            watcher.cancel()
    if stopping.is_set():
        # No request is in flight. Nothing waits for what still runs (a thread in native code, a DNS look-up).
        end.within(IN_ORDER_SECONDS)
    log("stopped")
    # The interpreter's last garbage collection would visit all objects of the libraries for a second or two.
    gc.freeze()
    return 0 if public.started else 2


class Server(uvicorn.Server):
    """A server that leaves signals to `_run` (a process may have two servers) and has its own acceptor."""

    def __init__(
        self, config: uvicorn.Config, max_connections: int, handshake_seconds: float, pause: Pause | None = None
    ) -> None:
        """See `Acceptor` for the limits."""
        super().__init__(config)
        self._max_connections = max_connections
        self._handshake_seconds = handshake_seconds
        self._pause = pause

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the application, then accept connections on `sockets`."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise SystemExit(3)
        return_free_memory()
        keep_collections_short()

        def protocol() -> LimitedH11Protocol:
            made: LimitedH11Protocol = self.config.http_protocol_class(  # type: ignore[call-arg, assignment]
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )
            return made

        acceptor = Acceptor(
            sockets or [],
            protocol,
            self.config.ssl,
            max_connections=self._max_connections,
            handshake_seconds=self._handshake_seconds,
            pause=self._pause,
        )
        acceptor.start()
        self.servers = [acceptor]  # type: ignore[list-item]
        self.started = True


async def _started(server: uvicorn.Server, task: asyncio.Task[None]) -> None:
    while not server.started and not task.done():
        await asyncio.sleep(0.02)


async def _go_down_when(stopping: asyncio.Event, settings: Settings, app: FastAPI, servers: list[Server]) -> None:
    """Report not ready, then stop accepting, then end; every accepted request gets its reply."""
    await stopping.wait()
    app.state.services.draining = True
    log("draining", seconds=settings.drain_seconds)
    await asyncio.sleep(settings.drain_seconds)
    for server in servers:
        server.should_exit = True


def new_server(settings: Settings, app: FastAPI, lifespan: Any, pause: Pause | None = None) -> Server:
    """A server for one port, with the limits of the settings."""
    ports = 1 if settings.internal_port is None else 2
    room = room_for(settings.max_connections, ports)
    return Server(server_config(settings, app, lifespan), room, settings.header_seconds, pause)


def server_config(settings: Settings, app: FastAPI, lifespan: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=limited_protocol(settings.header_seconds, settings.body_seconds, settings.write_seconds),
        ws="none",
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        h11_max_incomplete_event_size=_ESCAPED_HEAD,
        backlog=BACKLOG,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )


def _listen(settings: Settings, stack: ExitStack) -> Iterator[list[socket.socket]]:
    """The sockets of each port; `stack` closes them."""
    wanted = [(settings.host, settings.port, "FACEMATCH_PORT")]
    if settings.internal_port is not None:
        wanted.append((settings.internal_listen_host, settings.internal_port, "FACEMATCH_INTERNAL_PORT"))
    for host, port, setting in wanted:
        yield [stack.enter_context(closing(sock)) for sock in bind(host, port, setting)]


def _calm_libraries() -> None:
    """Give OpenCV one thread: requests run side by side already, and it would start one for each CPU at each resize."""
    import cv2

    cv2.setNumThreads(1)


def _log_loop_fault(context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, BaseException):
        log_fault("fault outside a request", error)
