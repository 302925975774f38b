"""Several workers on one machine: one port, one store, models loaded once.

The main process binds the port and loads the models, then forks the workers; the system shares the memory of the
models between them as long as nobody writes to it. ONNX Runtime's sessions survive the fork because they have no
threads of their own (`intra_op_threads=1`).
"""

from __future__ import annotations

import gc
import os
import shutil
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path

from facematch_local.cpu import available_cpus
from facematch_local.errors import FacematchError
from facematch_server.assembly import load_models, open_store
from facematch_server.logs import LOGGER
from facematch_server.running.banner import show_start
from facematch_server.running.division import lacking, with_inheritable_providers
from facematch_server.running.listening import StartError
from facematch_server.running.load import SharedLoad
from facematch_server.running.serve import IN_ORDER_SECONDS, announce_listening, prepare, prepare_process
from facematch_server.running.supervisor import Supervisor
from facematch_server.running.worker import Common, work
from facematch_server.settings import Settings
from facematch_server.shared_metrics import Board, new_folder
from facematch_server.store.shared_buckets import SharedBuckets


def serve_with_workers(settings: Settings) -> int:
    """Run `settings.workers` workers until SIGINT or SIGTERM.

    Returns:
        0 after an orderly end, 2 if the service cannot start (one line on standard error says why).
    """
    prepare_process(settings)
    with ExitStack() as stack:
        try:
            _require_fork()
            settings = with_inheritable_providers(settings)
            ports = prepare(settings, stack)
            folder = _common_folder(stack)
            buckets = _buckets(stack)
            models = load_models(settings)
            with closing(open_store(settings)) as store:
                show_start(settings, ports, models.pack, store)
        except FacematchError as error:
            print(f"facematch: cannot start: {error}", file=sys.stderr)  # noqa: T201
            return 2
        if settings.workers > (settings.threads or available_cpus()):
            LOGGER.warning("more workers than threads: %d workers compute at the same time", settings.workers)
        number = settings.workers
        common = Common(settings, models, ports, Board(number), buckets, SharedLoad(number), folder)
        # A collection in a worker would touch, and so copy, the memory of all objects.
        gc.collect()
        gc.freeze()
        return Supervisor(
            settings.workers,
            partial(work, common),
            stop_seconds=settings.drain_seconds + settings.shutdown_seconds + IN_ORDER_SECONDS,
            all_ready=partial(announce_listening, ports),
            stopping=partial(_close, ports),
            ended=partial(_ended, common),
        ).run()


def _require_fork() -> None:
    if reason := lacking():
        raise StartError(f"several workers (FACEMATCH_WORKERS) need Linux: {reason}; run several services instead")


def _common_folder(stack: ExitStack) -> Path:
    try:
        folder = new_folder()
    except OSError as error:
        raise StartError(f"the folder that the workers share cannot be made: {error.strerror}") from None
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    _hold(folder, stack)
    return folder


def _hold(folder: Path, stack: ExitStack) -> None:
    """Lock a folder until the end of this process and its workers: systemd-tmpfiles leaves old files in it alone."""
    import fcntl

    with suppress(OSError):  # a file system without locks
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, opened)
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)


def _buckets(stack: ExitStack) -> SharedBuckets:
    try:
        return stack.enter_context(closing(SharedBuckets()))
    except OSError as error:
        raise StartError(f"the memory that the workers share cannot be made: {error.strerror}") from None


def _ended(common: Common, number: int, cpu_seconds: float) -> None:
    common.board.end(number, cpu_seconds)
    common.load.note(number, free=False)


def _close(ports: Sequence[Sequence[socket.socket]]) -> None:
    """Close the ports here. A port is closed once the last worker, too, has stopped accepting."""
    for sock in (sock for sockets in ports for sock in sockets):
        sock.close()
