"""Several workers on one machine: one port, one store, models loaded once.

The main process binds the port and loads the models, then forks the workers; the system shares the memory of the
models between them as long as nobody writes to it. ONNX Runtime's sessions survive the fork because they have no
threads of their own (`intra_op_threads=1`).
"""

from __future__ import annotations

import asyncio
import gc
import shutil
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from facematch_local.cpu import available_cpus
from facematch_local.errors import FacematchError
from facematch_server.app import create_app
from facematch_server.assembly import (
    Models,
    load_models,
    matcher_of,
    new_cores,
    open_store,
    photo_decoder,
    start_decoders,
)
from facematch_server.logs import LOGGER
from facematch_server.metrics import Metrics
from facematch_server.running.banner import show_start
from facematch_server.running.division import lacking, part_of
from facematch_server.running.link import WorkerEnd
from facematch_server.running.listening import StartError
from facematch_server.running.serve import (
    IN_ORDER_SECONDS,
    announce_listening,
    prepare,
    prepare_process,
    run_app,
)
from facematch_server.running.supervisor import Supervisor
from facematch_server.settings import Settings
from facematch_server.shared_metrics import Board, SharedMetrics, new_folder


def serve_with_workers(settings: Settings) -> int:
    """Run `settings.workers` workers until SIGINT or SIGTERM.

    Returns:
        0 after an orderly end, 2 if the service cannot start (one line on standard error says why).
    """
    prepare_process(settings)
    with ExitStack() as stack:
        try:
            _require_fork()
            ports = prepare(settings, stack)
            folder = _metrics_folder(stack)
            models = load_models(settings)
            with closing(open_store(settings)) as store:
                show_start(settings, ports, models.pack, store)
        except FacematchError as error:
            print(f"facematch: cannot start: {error}", file=sys.stderr)  # noqa: T201
            return 2
        if settings.workers > (settings.threads or available_cpus()):
            LOGGER.warning("more workers than threads: %d workers compute at the same time", settings.workers)
        board = Board(settings.workers)
        # A collection in a worker would touch, and so copy, the memory of all objects.
        gc.collect()
        gc.freeze()
        return Supervisor(
            settings.workers,
            partial(_work, settings, models, ports, board, folder),
            stop_seconds=settings.drain_seconds + settings.shutdown_seconds + IN_ORDER_SECONDS,
            all_ready=partial(announce_listening, ports),
            stopping=partial(_close, ports),
            ended=board.end,
        ).run()


def _require_fork() -> None:
    if reason := lacking():
        raise StartError(f"several workers (FACEMATCH_WORKERS) need Linux: {reason}; run several services instead")


def _metrics_folder(stack: ExitStack) -> Path:
    try:
        folder = new_folder()
    except OSError as error:
        raise StartError(f"the folder for the metrics of the workers cannot be made: {error.strerror}") from None
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _close(ports: Sequence[Sequence[socket.socket]]) -> None:
    """Close the ports here. A port is closed once the last worker, too, has stopped accepting."""
    for sock in (sock for sockets in ports for sock in sockets):
        sock.close()


def _work(
    settings: Settings,
    models: Models,
    ports: Sequence[list[socket.socket]],
    board: Board,
    folder: Path,
    number: int,
    line: WorkerEnd,
) -> int:
    """Be one worker."""
    shared = SharedMetrics(board, number, folder)
    part = part_of(settings, number)
    cores = new_cores(part)
    with ExitStack() as stack:
        try:
            decoders = start_decoders(part, cores)
            if decoders is not None:
                stack.callback(decoders.close)
            matcher = matcher_of(models, part, cores, photo_decoder(part, cores, decoders))
            if decoders is not None:
                decoders.wait_until_ready()
            # The main process has made the file. If it is gone, a worker must not begin a new one.
            store = stack.enter_context(closing(open_store(part, create=False)))
            app = create_app(part, matcher, store, cores=cores, decoders=decoders, metrics=Metrics(shared))
        except FacematchError as error:
            print(f"facematch: cannot start: {error}", file=sys.stderr, flush=True)  # noqa: T201
            return 2

        def started() -> None:
            line.ready()
            publishing.append(asyncio.ensure_future(shared.keep_publishing()))

        publishing: list[asyncio.Future[None]] = []
        pool_full = partial(_pause, app)
        return asyncio.run(run_app(part, app, ports, stops=line.calls, started=started, pause=pool_full))


# How long a worker whose threads are all busy leaves a new connection to the others.
_PAUSE_SECONDS = 0.02


def _pause(app: object) -> float:
    pool = app.state.services.pool  # type: ignore[attr-defined]
    return _PAUSE_SECONDS if pool.in_flight >= pool.threads else 0.0
