"""One of several workers: a service of its own that shares the port, the models and some memory with the others."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI

from facematch_local.errors import FacematchError
from facematch_server.app import create_app
from facematch_server.assembly import Models, matcher_of, new_cores, open_store, photo_decoder, start_decoders
from facematch_server.metrics import Metrics
from facematch_server.running.division import part_of
from facematch_server.running.link import WorkerEnd
from facematch_server.running.load import SharedLoad
from facematch_server.running.serve import run_app
from facematch_server.settings import Settings
from facematch_server.shared_metrics import Board, SharedMetrics
from facematch_server.store.rate import RateLimiter
from facematch_server.store.shared_buckets import SharedBuckets


@dataclass(frozen=True, slots=True)
class Common:
    """What the workers have in common; made by the main process.

    Attributes:
        settings: those of the whole service.
        models: loaded models.
        ports: sockets of the public and the internal port.
        board: gauges.
        buckets: rate limits.
        load: which workers have a free thread.
        folder: files of the metrics' counters.
    """

    settings: Settings
    models: Models = field(repr=False)
    ports: Sequence[list[socket.socket]]
    board: Board
    buckets: SharedBuckets
    load: SharedLoad
    folder: Path


def work(common: Common, number: int, line: WorkerEnd) -> int:
    """Answer requests until told to stop.

    Args:
        common: see the class.
        number: the number of this worker, from 0.
        line: to the main process.

    Returns:
        The exit code: 0 after an orderly end, 2 if it cannot start (one line on standard error says why).
    """
    shared = SharedMetrics(common.board, number, common.folder)
    settings = part_of(common.settings, number)
    with ExitStack() as stack:
        try:
            app = _application(common, settings, Metrics(shared), stack)
        except (FacematchError, OSError) as error:
            print(f"facematch: cannot start: {error}", file=sys.stderr, flush=True)  # noqa: T201
            return 2
        code = asyncio.run(_run(common, number, settings, app, shared, line))
        if line.broken:  # the main process can no longer remove it
            shutil.rmtree(common.folder, ignore_errors=True)
        return code


def _application(common: Common, settings: Settings, metrics: Metrics, stack: ExitStack) -> FastAPI:
    cores = new_cores(settings)
    decoders = start_decoders(settings, cores)
    if decoders is not None:
        stack.callback(decoders.close)
    matcher = matcher_of(common.models, settings, cores, photo_decoder(settings, cores, decoders))
    if decoders is not None:
        decoders.wait_until_ready()
    rates = RateLimiter(buckets=common.buckets)
    # The main process has made the file. If it is gone, a worker must not begin a new one.
    store = stack.enter_context(closing(open_store(settings, create=False, rates=rates)))
    return create_app(settings, matcher, store, cores=cores, decoders=decoders, metrics=metrics)


async def _run(
    common: Common, number: int, settings: Settings, app: FastAPI, shared: SharedMetrics, line: WorkerEnd
) -> int:
    def is_free() -> bool:
        pool = app.state.services.pool
        return bool(pool.in_flight < pool.threads)

    def pause() -> float:
        return common.load.pause(number, free=is_free())

    repeated = [shared.keep_publishing(), common.load.keep_noting(number, is_free)]
    tasks = [asyncio.create_task(each) for each in repeated]
    try:
        return await run_app(settings, app, common.ports, stops=line.calls, started=line.ready, pause=pause)
    finally:
        for task in tasks:
            task.cancel()
