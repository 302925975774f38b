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
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Final, Self

from facematch_local.batch.examining import Examined, Examiner, Identity
from facematch_local.batch.rows import Fault, RowError
from facematch_local.checks import Role
from facematch_local.errors import FacematchError

Opener = Callable[[], Examiner]
"""Opens an examiner in a process; hashable, and pickled by reference or as a frozen dataclass."""

# Spawned: a process with threads and models in it must not be forked.
_SPAWN: Final = multiprocessing.get_context("spawn")
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
        # The processes end when the writing end is closed, which the system does if this process is killed.
        self._alive, self._lifeline = _SPAWN.Pipe(duplex=False)
        self._pool, self._alone = self._new_pool(jobs), self._new_pool(1)
        self._one_at_a_time = asyncio.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._lifeline.close()
        for pool in (self._pool, self._alone):
            pool.shutdown(cancel_futures=True)
        self._lifeline.close()
        self._alive.close()

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
                self._pool = self._new_pool(self._jobs)
                await asyncio.to_thread(self.start)
        async with self._one_at_a_time:
            return await self._examine_alone(data, role)

    async def _examine_alone(self, data: bytes, role: Role) -> Examined | Fault:
        try:
            return await _call(self._alone, self._opener, data, role)
        except BrokenProcessPool:
            self._alone = self._new_pool(1)
            await asyncio.to_thread(_start, self._alone, self._opener, 1)
            return _CRASHED

    def _new_pool(self, jobs: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(jobs, _SPAWN, initializer=_prepare, initargs=(self._alive,))


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
    """Start processes with SIGINT blocked, since Ctrl-C is for the process that waits for them, and see it afterwards.

    The system may give a signal to any thread, and Python then runs its handler in the main thread, in the midst of a
    start; so the handler waits too.
    """
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if came:
        signal.raise_signal(signal.SIGINT)


def _prepare(alive: Connection) -> None:
    """Set up a process.

    Args:
        alive: reading end of a pipe, which ends when this process shall end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
    # Some libraries write what they think of a photo to standard error.
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def _end_with(alive: Connection) -> None:
    alive.poll(None)
    os._exit(1)


@functools.cache
def _opened(opener: Opener) -> Examiner:
    """The examiner of this process."""
    return opener()


def _identity(opener: Opener) -> Identity:
    return _opened(opener).identity


def _examine(opener: Opener, data: bytes, role: Role) -> Examined | Fault:
    return _opened(opener).examine(data, role)
