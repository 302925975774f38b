"""Schedules jobs: a bounded number computes at the same time, shared fairly between owners; slow photos step aside.

A job that decodes a photo waits for another process. It steps aside meanwhile and frees its computing slot, so slow
photos of one owner block nobody else. One owner may have at most half of the jobs that compute or stand aside, so it
cannot fill the side lane either. If another owner was active within the last second, an owner leaves one computing slot
free, so that a client with one request after the other need not wait for each.

`access.fair_queue` orders waiting work only. Here a job also moves between computing and standing aside, and an owner's
share depends on the jobs that run, so the two have no code in common.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final

from facematch_server.errors import BUSY, ServiceError

# An owner counts as active for this long after its last job. The free slot costs the others little: a job that has all
# cores to itself examines both of its photos at the same time.
_ACTIVE_SECONDS: Final = 1.0


class Job:
    """Work of one request.

    Attributes:
        work: the function to run.
        deadline: on the clock of `time.monotonic`.
        owner: the key or the address that the job counts for.
        future: the outcome.
        waiters: threads of this job that stand aside.
    """

    def __init__(self, work: Callable[[], Any], deadline: float, owner: str, lanes: Lanes) -> None:
        self.work = work
        self.deadline = deadline
        self.owner = owner
        self.future: Future[Any] = Future()
        self.waiters = 0
        self._lanes = lanes

    @property
    def taken_up(self) -> bool:
        """Whether a thread has begun it; False if it was cancelled before."""
        return self.future.running() or (self.future.done() and not self.future.cancelled())

    def cancel(self) -> bool:
        """Drop the job and its photos unless a thread has begun it; return whether it was dropped."""
        dropped = self.future.cancel()
        if dropped:
            self._lanes._forget(self)
        return dropped

    def refuse(self) -> None:
        """Fail the job with 503: no thread will begin it."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(ServiceError(503, BUSY, retry_after=1.0))

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Free the computing slot while this job waits; on leaving, take one again.

        Two threads of a job may wait, one for each photo; together they free one slot.

        Raises:
            ServiceError: 503: no slot became free before the deadline.
        """
        self._lanes._step_aside(self)
        try:
            yield
        finally:
            self._lanes._step_back(self)


class Lanes:
    """Starts jobs as computing slots become free."""

    def __init__(self, threads: int, start: Callable[[Job], object]) -> None:
        """See the module.

        Args:
            threads: jobs that compute at the same time; as many may stand aside.
            start: runs a job in a thread, which first asks `begin` and at the end calls `done`; must not block. If it
                raises RuntimeError (no thread can be started), the job is refused.
        """
        self._threads = threads
        self._start = start
        self._changed = threading.Condition()
        self._pending: list[Job] = []
        self._running: set[Job] = set()
        self._of_owner: Counter[str] = Counter()
        self._computing_of: Counter[str] = Counter()
        self._returning_of: Counter[str] = Counter()
        # When an owner's job last arrived or ended.
        self._seen: dict[str, float] = {}
        self._served: dict[str, int] = {}
        self._serial = itertools.count(1)
        self._closed = False

    @property
    def started(self) -> int:
        """Jobs that compute or stand aside."""
        return len(self._running)

    @property
    def closed(self) -> bool:
        """Whether `close` was called: no job starts any more."""
        return self._closed

    @property
    def queued(self) -> int:
        """Jobs that wait to be started."""
        return len(self._pending)

    def submit(self, job: Job) -> None:
        """Start a job as soon as a computing slot is free; refuse it after `close`."""
        with self._changed:
            if not self._closed:
                self._seen[job.owner] = time.monotonic()
                self._pending.append(job)
                self._dispatch()
                return
        job.refuse()

    def begin(self, job: Job) -> bool:
        """Whether the thread may run the job; False if the job was refused since."""
        with self._changed:
            return job in self._running

    def done(self, job: Job) -> None:
        """Free the slot of a job that has ended; does nothing for a refused job."""
        with self._changed:
            if job in self._running:
                self._give_back(job)
                self._dispatch()

    def close(self) -> None:
        """Start no more jobs, and refuse waiting ones."""
        with self._changed:
            self._closed = True
            pending, self._pending = self._pending, []
            self._changed.notify_all()
        for job in pending:
            job.refuse()

    def _forget(self, job: Job) -> None:
        with self._changed:
            if job in self._pending:
                self._pending.remove(job)

    def _step_aside(self, job: Job) -> None:
        with self._changed:
            job.waiters += 1
            if job.waiters == 1:
                self._computing_of[job.owner] -= 1
                self._changed.notify_all()
                self._dispatch()

    def _step_back(self, job: Job) -> None:
        with self._changed:
            job.waiters -= 1
            if job.waiters:
                return
            self._returning_of[job.owner] += 1
            in_time = self._changed.wait_for(
                lambda: (self._computing < self._threads and self._room_for(job.owner)) or self._closed,
                max(job.deadline - time.monotonic(), 0.0),
            )
            self._returning_of[job.owner] -= 1
            self._computing_of[job.owner] += 1
        if not in_time:
            raise ServiceError(503, BUSY, retry_after=1.0)

    def _dispatch(self) -> None:
        """Start jobs while slots are free: the owner with the fewest jobs first, then the one served longest ago."""
        self._pending = [job for job in self._pending if not job.future.cancelled()]
        waiting_owners = {job.owner for job in self._pending}
        self._served = {owner: serial for owner, serial in self._served.items() if owner in waiting_owners}
        while self._computing + self._claimed < self._threads and len(self._running) < 2 * self._threads:
            waiting = [
                job for job in self._pending if self._of_owner[job.owner] < self._threads and self._room_for(job.owner)
            ]
            if not waiting or self._closed:
                return
            job = min(waiting, key=lambda job: (self._of_owner[job.owner], self._served.get(job.owner, 0)))
            self._pending.remove(job)
            self._computing_of[job.owner] += 1
            self._running.add(job)
            self._of_owner[job.owner] += 1
            self._served[job.owner] = next(self._serial)
            try:
                self._start(job)
            except RuntimeError:
                # The system cannot start a thread. The executor may have queued the job nevertheless and run it later:
                # `begin` then says no, and the slot is free already.
                self._give_back(job)
                job.refuse()

    @property
    def _computing(self) -> int:
        return self._computing_of.total()

    @property
    def _claimed(self) -> int:
        """Slots reserved for jobs that come back from standing aside."""
        return sum(min(count, self._room_for(owner)) for owner, count in self._returning_of.items())

    def _room_for(self, owner: str) -> int:
        """How many more jobs of an owner may compute."""
        earliest = time.monotonic() - _ACTIVE_SECONDS
        self._seen = {name: seen for name, seen in self._seen.items() if seen > earliest or self._of_owner[name]}
        others = any(name != owner for name in self._seen)
        most = max(self._threads - 1, 1) if others else self._threads
        return max(most - self._computing_of[owner], 0)

    def _give_back(self, job: Job) -> None:
        self._running.remove(job)
        self._seen[job.owner] = time.monotonic()
        self._computing_of[job.owner] -= 1
        self._of_owner[job.owner] -= 1
        if not self._of_owner[job.owner]:
            for counted in (self._of_owner, self._computing_of, self._returning_of):
                del counted[job.owner]
        self._changed.notify_all()
