"""Processes that examine photos, one for each core."""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from typing import Final, Self

from facematch_local.batch.examining import Examined, Examiner, Identity
from facematch_local.batch.rows import Fault, RowError
from facematch_local.checks import Role
from facematch_local.errors import FacematchError

Opener = Callable[[], Examiner]
"""Opens an examiner in a process; hashable, and pickled by reference or as a frozen dataclass."""

_CRASHED: Final = Fault(RowError.CRASHED, "the process that examines the photo ends")


class Workers:
    """A pool of processes, each with its own models.

    A process that ends (a fault of a native library, or the system for want of memory) breaks the whole pool. The
    photos then in work are examined again, one at a time in a process of their own: the photo that ends this process
    too gets the error `crashed`, the others their result.
    """

    def __init__(self, opener: Opener, jobs: int) -> None:
        """Take what processes open; `start` starts them.

        Args:
            opener: gives the examiner of a process.
            jobs: processes.
        """
        self._opener, self._jobs = opener, jobs
        self._pool, self._alone = _pool(jobs), _pool(1)
        self._one_at_a_time = asyncio.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in (self._pool, self._alone):
            pool.shutdown(cancel_futures=True)

    def start(self) -> Identity:
        """Start the processes and wait for the first one that is ready.

        Raises:
            FacematchError: it cannot open its examiner, or ends.
        """
        return _start(self._pool, self._opener, self._jobs)

    async def examine(self, data: bytes, role: Role) -> Examined | Fault:
        """Examine a photo.

        Raises:
            FacematchError: processes cannot be started any more.
        """
        pool = self._pool
        try:
            return await _call(pool, self._opener, data, role)
        except BrokenProcessPool:
            if pool is self._pool:
                self._pool = _pool(self._jobs)
                await asyncio.to_thread(self.start)
        async with self._one_at_a_time:
            return await self._examine_alone(data, role)

    async def _examine_alone(self, data: bytes, role: Role) -> Examined | Fault:
        try:
            return await _call(self._alone, self._opener, data, role)
        except BrokenProcessPool:
            self._alone = _pool(1)
            await asyncio.to_thread(_start, self._alone, self._opener, 1)
            return _CRASHED


def _pool(jobs: int) -> ProcessPoolExecutor:
    # Spawned: a process with threads and models in it must not be forked.
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_prepare)


def _start(pool: ProcessPoolExecutor, opener: Opener, jobs: int) -> Identity:
    with _without_ctrl_c():
        ready = [pool.submit(_identity, opener) for _ in range(jobs)]
    try:
        return ready[0].result()
    except BrokenProcessPool:
        raise FacematchError("a process that examines photos ends at its start; is there enough memory?") from None


async def _call(pool: ProcessPoolExecutor, opener: Opener, data: bytes, role: Role) -> Examined | Fault:
    return await asyncio.get_running_loop().run_in_executor(pool, _examine, opener, data, role)


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Let processes that start inherit a blocked SIGINT: Ctrl-C is for the process that waits for them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare() -> None:
    """Set up a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        # A killed parent stops no child: each would wait for work forever.
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    # Some libraries write what they think of a photo to standard error.
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


@functools.cache
def _opened(opener: Opener) -> Examiner:
    """The examiner of this process."""
    return opener()


def _identity(opener: Opener) -> Identity:
    return _opened(opener).identity


def _examine(opener: Opener, data: bytes, role: Role) -> Examined | Fault:
    return _opened(opener).examine(data, role)
