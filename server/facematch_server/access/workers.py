"""A few threads for one kind of blocking work, with a limit on the time that a caller waits.

They are daemon threads, unlike those of `ThreadPoolExecutor`, so a database that never answers cannot keep the process
alive. A job that hangs keeps its thread, so the number of threads is bounded.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Generic, TypeVar

from facematch_server.access.fair_queue import ANY_LANE, FairQueue, Lane
from facematch_server.errors import BUSY, ServiceError

T = TypeVar("T")


class LateError(Exception):
    """A job did not end in time. It may still run."""


class Workers:
    """Threads that take jobs from a fair queue."""

    def __init__(self, name: str, threads: int, queue: FairQueue[Job[Any]] | None = None) -> None:
        """The threads start with the first job.

        Args:
            name: name of the threads.
            threads: jobs that run at the same time.
            queue: holds the waiting jobs, within its limits; default without limits.
        """
        self._queue: FairQueue[Job[Any]] = FairQueue() if queue is None else queue
        # One count for each job in the queue; a removed job leaves a count that finds no job.
        self._filled = threading.Semaphore(0)
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"facematch-{name}-{number}", daemon=True)
            for number in range(threads)
        ]
        self._started = False
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """Jobs that no thread has begun."""
        return len(self._queue)

    async def call(
        self,
        function: Callable[..., T],
        *arguments: Any,
        until: float,
        lane: Lane = ANY_LANE,
        undo: Callable[[T], object] | None = None,
    ) -> T:
        """Run `function` in a thread.

        Args:
            function: the work; an exception of it is raised here.
            arguments: its arguments.
            until: how long to wait, on the clock of `time.monotonic`.
            lane: its lane in the queue.
            undo: called with the result, in a thread, if the caller no longer waits.

        Raises:
            LateError: it did not end in time. If it had not started, it never will.
            ServiceError: 503: too many jobs wait.
        """
        job = self.submit(function, *arguments, lane=lane)
        patience = asyncio.timeout(max(until - time.monotonic(), 0.0))
        try:
            async with patience:
                return await asyncio.wrap_future(job.future)
        except BaseException as error:
            job.cancel()
            self._queue.remove(lane, job)
            if undo is not None:
                # As a job of its own: the future may call back on this thread, which is the event loop's.
                job.future.add_done_callback(lambda done: self.submit(_undo, undo, done))
            if isinstance(error, TimeoutError) and patience.expired():
                raise LateError from None
            raise

    def submit(self, function: Callable[..., T], *arguments: Any, lane: Lane = ANY_LANE) -> Job[T]:
        """Run `function` in a thread without waiting for it."""
        job = Job(partial(function, *arguments))
        self._start()
        if self._closed:
            job.refuse()
            return job
        refused = self._queue.put(lane, job)
        if refused is not None:
            refused.refuse()
        if refused is not job:
            self._filled.release()
        return job

    def close(self) -> None:
        """Refuse waiting jobs, and end each thread after its job. Does not wait for the threads."""
        with self._lock:
            self._closed = True
        for job in self._queue.drain():
            job.refuse()
        for _ in self._threads:
            self._filled.release()

    def _start(self) -> None:
        with self._lock:
            if self._started or self._closed:
                return
            self._started = True
            for thread in self._threads:
                thread.start()

    def _work(self) -> None:
        while True:
            self._filled.acquire()
            job = self._queue.pop()
            if job is not None:
                job.run()
                job = None  # its photos or secrets must not stay in memory until the next job
            elif self._closed:
                return


class Job(Generic[T]):
    """A piece of work and its future."""

    def __init__(self, function: Callable[[], T]) -> None:
        self.future: Future[T] = Future()
        self._function: Callable[[], T] | None = function

    @property
    def taken_up(self) -> bool:
        """Whether a thread has begun it; False if it was cancelled before."""
        return self.future.running() or (self.future.done() and not self.future.cancelled())

    def cancel(self) -> None:
        """Drop it unless a thread has begun it."""
        if self.future.cancel():
            self._function = None  # with its photos or secrets; the job itself may stay in a queue

    def run(self) -> None:
        """Run the work unless it was cancelled."""
        function, self._function = self._function, None
        if function is None or not self.future.set_running_or_notify_cancel():
            return
        try:
            result = function()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

    def refuse(self) -> None:
        """Fail with 503: the queue is full or closed."""
        self._function = None
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(ServiceError(503, BUSY, retry_after=1.0))


def _undo(undo: Callable[[T], object], future: Future[T]) -> None:
    if not future.cancelled() and future.exception() is None:
        undo(future.result())
