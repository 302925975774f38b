"""Runs the CPU-bound work: a fixed number of threads, a bounded queue, a deadline for each job.

The event loop only waits. Four rules keep the service answering under overload: no more jobs compute than
there are CPUs, no more than `queue_size` wait, none starts after its deadline has passed, and keys take turns:
one that fills the house waits for itself (`shares` for the places, `lanes` for the threads).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from facematch_server.errors import BUSY, ServiceError
from facematch_server.matching.lanes import Job, Lanes
from facematch_server.matching.shares import Shares, who_leaves

_T = TypeVar("_T")

# Set for the thread that runs a job, and for the spare thread that helps it (`SpareThreads` hands contexts on).
_JOB: Final[ContextVar[Job | None]] = ContextVar("job", default=None)


def current_job() -> Job | None:
    """The job that the calling thread works on."""
    return _JOB.get()


class Cores:
    """How many threads are computing, and so whether one more would find an idle core.

    Shared by the pool and by `SpareThreads`, to which `FaceMatcher` hands the first photo while it looks at the
    second: a lone request uses two cores, and under load each request keeps to its own thread.

    Attributes:
        large_photo: held by whoever unpacks a large photo whole, so that one is in memory at a time.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._busy = 0
        self._lock = threading.Lock()
        self.large_photo = threading.Lock()

    @property
    def busy(self) -> int:
        """Threads computing right now."""
        return self._busy

    def acquire(self, *, blocking: bool = True) -> bool:
        """Count one more computing thread; without `blocking`, only if there is an idle core for it.

        It never blocks: a request that has a thread of the pool computes at once.
        """
        with self._lock:
            if not blocking and self._busy >= self.count:
                return False
            self._busy += 1
            return True

    def release(self) -> None:
        """Count one less."""
        with self._lock:
            self._busy -= 1


class InferencePool:
    """Threads for jobs, with places for those that run or wait."""

    def __init__(self, cores: Cores, threads: int, queue_size: int, shares: Shares | None = None) -> None:
        """Open the pool.

        Args:
            cores: counts computing threads.
            threads: jobs that may run at once.
            queue_size: jobs that may wait beyond that.
            shares: largest parts of the places; default all.
        """
        self._cores = cores
        # One each for the jobs that compute and those that stepped aside.
        self._executor = ThreadPoolExecutor(2 * threads, thread_name_prefix="facematch-match")
        self._lanes = Lanes(threads, lambda job: self._executor.submit(self._run, job))
        self._places = threads + queue_size
        self._shares = shares or Shares()
        # In the order in which they came; of the event loop only.
        self._holders: dict[Place, None] = {}
        self._threads = threads

    @property
    def threads(self) -> int:
        """Jobs that may run at once."""
        return self._threads

    @property
    def places(self) -> int:
        """Requests that may be in the house at once."""
        return self._places

    @property
    def taken(self) -> int:
        """Requests in the house: reading their body, waiting or running."""
        return len(self._holders)

    @property
    def waiting(self) -> int:
        """Requests whose job no thread has taken up yet, or that are still reading their body."""
        return max(self.taken - self._lanes.started, 0)

    @property
    def queued(self) -> int:
        """Jobs that wait for a thread."""
        return self._lanes.queued

    @contextmanager
    def place(self, key: str = "", address: str = "") -> Iterator[Place]:
        """Take a place; to be held from before the body is read, since a body in memory is what costs.

        Call it on the event loop only. In a full house a place may be taken back, also later, for a key or an address
        that holds fewer: whatever is awaited under it then ends.

        Args:
            key: whose request it is.
            address: where it came from.

        Raises:
            ServiceError: 503: all places are taken, or this one was taken back.
        """
        place = self._take(key, address)
        try:
            yield place
        except asyncio.CancelledError:
            if not place.taken_back():
                raise
            raise _busy() from None
        finally:
            # A job that outlived its request holds the place (its photos are still in memory) until it ends.
            if place.job is None or place.job.future.done():
                self._leave(place)
            else:
                loop = asyncio.get_running_loop()
                place.job.future.add_done_callback(lambda _: _call_soon(loop, self._leave, place))

    def _take(self, key: str, address: str) -> Place:
        if not self._shares.allow(self._holders, key, address, self._places):
            raise _busy()
        while len(self._holders) >= self._places:
            leaving = who_leaves(list(self._holders), key, address)
            if leaving is None:
                raise _busy()
            # Not where a thread took its work up in this very moment.
            if leaving.take_back():
                self._leave(leaving)
        place = Place(self, key, address)
        self._holders[place] = None
        return place

    def close(self, wait: bool = True) -> None:
        """End the threads; waiting jobs are refused."""
        self._lanes.close()
        # What the executor holds is refused by `_outcome`; cancelled there, nobody would hear of it.
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
        self._cores.acquire()
        token = _JOB.set(job)
        try:
            return job.work()
        finally:
            _JOB.reset(token)
            self._cores.release()

    def _leave(self, place: Place) -> None:
        self._holders.pop(place, None)


class Place:
    """One request's place in an `InferencePool`.

    Attributes:
        key: whose request it is.
        address: where it came from.
        job: its work, once it is known.
    """

    def __init__(self, pool: InferencePool, key: str, address: str) -> None:
        self.key = key
        self.address = address
        self.job: Job | None = None
        self._pool = pool
        self._task = asyncio.current_task()
        self._left = False

    @property
    def is_sending(self) -> bool:
        """Whether there is no work yet: its photos are still on their way."""
        return self.job is None

    @property
    def may_leave(self) -> bool:
        """Whether no thread has taken its work up."""
        return self._task is not None and not self._left and (self.job is None or not self.job.taken_up)

    def take_back(self) -> bool:
        """End what the request awaits; False, and nothing is done, if a thread has begun its work."""
        if self.job is not None and not self.job.cancel():
            return False
        self._left = True
        if self._task is not None:
            self._task.cancel()
        return True

    def taken_back(self) -> bool:
        """Whether the task was cancelled by `take_back` and by nobody else, as in `asyncio.timeout`."""
        return self._left and self._task is not None and self._task.uncancel() == 0

    async def run(self, work: Callable[[], _T], deadline: float) -> _T:
        """Run `work` in a thread of the pool, when it is the turn of its key.

        Args:
            work: what to do.
            deadline: on the clock of `time.monotonic`.

        Raises:
            ServiceError: 503: it did not start or did not end before the deadline.
        """
        job = self._pool._submit(work, deadline, self.key or self.address)
        self.job = job
        patience = asyncio.timeout(max(deadline - time.monotonic(), 0.0))
        try:
            async with patience:
                return await asyncio.wrap_future(job.future)
        except BaseException as error:
            # Whoever gives up takes its photos out of the queue.
            job.cancel()
            # A TimeoutError of the work's own is a fault like any other.
            if isinstance(error, TimeoutError) and patience.expired():
                raise _busy() from None
            raise


def _busy() -> ServiceError:
    return ServiceError(503, BUSY, retry_after=1.0)


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[Place], None], place: Place) -> None:
    try:
        loop.call_soon_threadsafe(callback, place)
    except RuntimeError:  # the loop was closed while the job ran: nobody counts any more
        return
