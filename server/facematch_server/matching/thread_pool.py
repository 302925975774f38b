"""Runs the CPU-bound work: a fixed number of threads, a bounded queue, a deadline for each job.

The event loop only waits. Four rules keep the service responsive under overload: at most one job computes per core,
at most `queue_size` jobs wait, no job starts after its deadline, and keys take turns, so that a key with many requests
delays itself only (`slot_shares` divides the slots, `lanes` the threads).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from facematch_server.errors import BUSY, ServiceError
from facematch_server.matching.cores import Cores
from facematch_server.matching.lanes import Job, Lanes
from facematch_server.matching.slot_shares import Shares, holder_to_withdraw

_T = TypeVar("_T")

# Set in the thread that runs a job, and in its helper thread (`SpareThreads` copies the context).
_JOB: Final[ContextVar[Job | None]] = ContextVar("job", default=None)


def current_job() -> Job | None:
    """The job of the calling thread; None outside jobs."""
    return _JOB.get()


class InferencePool:
    """Threads for jobs, and a slot for each request in flight."""

    def __init__(self, cores: Cores, threads: int, queue_size: int, shares: Shares | None = None) -> None:
        """Threads start with the first jobs.

        Args:
            cores: counts computing threads.
            threads: jobs that may run at the same time.
            queue_size: requests that may wait beside them; the pool has `threads + queue_size` slots.
            shares: the largest parts of the slots for one key and one address; default all.
        """
        self._cores = cores
        # `threads` for the jobs that compute and as many for the jobs that stepped aside.
        self._executor = ThreadPoolExecutor(2 * threads, thread_name_prefix="facematch-match")
        self._lanes = Lanes(threads, lambda job: self._executor.submit(self._run, job))
        self._slots = threads + queue_size
        self._shares = shares or Shares()
        # In order of arrival; used on the event loop only.
        self._holders: dict[Slot, None] = {}
        self._threads = threads

    @property
    def threads(self) -> int:
        """Jobs that may run at the same time."""
        return self._threads

    @property
    def slots(self) -> int:
        """Requests that may be in flight at the same time."""
        return self._slots

    @property
    def in_flight(self) -> int:
        """Requests in flight: receiving, queued or running."""
        return len(self._holders)

    @property
    def waiting(self) -> int:
        """Requests in flight that no thread works on: receiving or queued."""
        return max(self.in_flight - self._lanes.started, 0)

    @property
    def queued(self) -> int:
        """Jobs that wait for a thread."""
        return self._lanes.queued

    @contextmanager
    def slot(self, key: str = "", address: str = "") -> Iterator[Slot]:
        """Hold a slot. Take it before reading the body, because bodies in memory are the scarce resource.

        Call it on the event loop only. When all slots are taken, a slot may be withdrawn, also later, in favour of a
        key or an address that holds fewer: the await inside the `with` block then ends.

        Args:
            key: API key of the request.
            address: client address of the request.

        Raises:
            ServiceError: 503: all slots are taken, or this one was withdrawn.
        """
        slot = self._take(key, address)
        try:
            yield slot
        except asyncio.CancelledError:
            if not slot.was_withdrawn():
                raise
            raise _busy() from None
        finally:
            # A job that outlives its request keeps the slot until it ends: its photos are still in memory.
            if slot.job is None or slot.job.future.done():
                self._free(slot)
            else:
                loop = asyncio.get_running_loop()
                slot.job.future.add_done_callback(lambda _: _call_soon(loop, self._free, slot))

    def _take(self, key: str, address: str) -> Slot:
        if not self._shares.allow(self._holders, key, address, self._slots):
            raise _busy()
        while len(self._holders) >= self._slots:
            candidate = holder_to_withdraw(list(self._holders), key, address)
            if candidate is None:
                raise _busy()
            # Fails if a thread has begun its job at this moment.
            if candidate.withdraw():
                self._free(candidate)
        slot = Slot(self, key, address)
        self._holders[slot] = None
        return slot

    def close(self, wait: bool = True) -> None:
        """End the threads and refuse waiting jobs."""
        self._lanes.close()
        # `_outcome` refuses the jobs in the executor's queue. If the executor cancelled them, waiters would stay.
        self._executor.shutdown(wait)

    def _submit(self, work: Callable[[], _T], deadline: float, owner: str) -> Job:
        job = Job(work, deadline, owner, self._lanes)
        self._lanes.submit(job)
        return job

    def _run(self, job: Job) -> None:
        try:
            if not (self._lanes.begin(job) and job.future.set_running_or_notify_cancel()):
                return
            try:
                outcome = self._outcome(job)
            except BaseException as error:
                job.future.set_exception(error)
            else:
                job.future.set_result(outcome)
        finally:
            self._lanes.done(job)

    def _outcome(self, job: Job) -> Any:
        if self._lanes.closed or time.monotonic() >= job.deadline:
            raise _busy()
        self._cores.take()
        token = _JOB.set(job)
        try:
            return job.work()
        finally:
            _JOB.reset(token)
            self._cores.give_back()

    def _free(self, slot: Slot) -> None:
        self._holders.pop(slot, None)


class Slot:
    """One request's slot in an `InferencePool`.

    Attributes:
        key: API key of the request.
        address: client address of the request.
        job: its work; None while the request is received.
        queue_seconds: how long the job waited for a thread; None before it starts.
    """

    def __init__(self, pool: InferencePool, key: str, address: str) -> None:
        self.key = key
        self.address = address
        self.job: Job | None = None
        self.queue_seconds: float | None = None
        self._pool = pool
        self._task = asyncio.current_task()
        self._withdrawn = False

    @property
    def is_receiving(self) -> bool:
        """Whether the request is still received."""
        return self.job is None

    @property
    def may_leave(self) -> bool:
        """Whether the slot can be withdrawn: no thread has begun the job."""
        return self._task is not None and not self._withdrawn and (self.job is None or not self.job.taken_up)

    def withdraw(self) -> bool:
        """Withdraw the slot and end the request's await; False, without effect, if a thread has begun the job."""
        if self.job is not None and not self.job.cancel():
            return False
        self._withdrawn = True
        if self._task is not None:
            self._task.cancel()
        return True

    def was_withdrawn(self) -> bool:
        """Whether `withdraw` cancelled the task, and nothing else did; compare `asyncio.timeout`."""
        return self._withdrawn and self._task is not None and self._task.uncancel() == 0

    async def run(self, work: Callable[[], _T], deadline: float) -> _T:
        """Run `work` in a thread of the pool as soon as its key has its turn.

        Args:
            work: the job; an exception of it is raised here.
            deadline: on the clock of `time.monotonic`.

        Raises:
            ServiceError: 503: the work did not end before the deadline.
        """
        submitted = time.monotonic()

        def begun() -> _T:
            self.queue_seconds = time.monotonic() - submitted
            return work()

        job = self._pool._submit(begun, deadline, self.key or self.address)
        self.job = job
        patience = asyncio.timeout(max(deadline - time.monotonic(), 0.0))
        try:
            async with patience:
                return await asyncio.wrap_future(job.future)
        except BaseException as error:
            # A request that gives up takes its photos out of the queue.
            job.cancel()
            # A TimeoutError raised by `work` itself is an ordinary fault.
            if isinstance(error, TimeoutError) and patience.expired():
                raise _busy() from None
            raise


def _busy() -> ServiceError:
    return ServiceError(503, BUSY, retry_after=1.0)


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[Slot], None], slot: Slot) -> None:
    try:
        loop.call_soon_threadsafe(callback, slot)
    except RuntimeError:  # the loop was closed while the job ran
        return
