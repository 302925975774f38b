"""Which jobs run: at most so many at once, fairly between their owners, and slow photos beside the others.

A job whose photo takes long to decode only waits for another process. It steps aside meanwhile, and its place is
another's: a stranger's slow photos take no thread from anybody. So that they cannot fill the side lane either, jobs of
one owner never take more than half of both lanes together. And as long as somebody else has been there within the
last second, one owner leaves one place free: who sends one request after the other does not wait for each.
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

# For so long after somebody's job one place is left free for the next. It costs others little: a job that has the
# cores to itself looks at both of its photos at once.
_EXPECTED_SECONDS: Final = 1.0


class Job:
    """Work of one request.

    Attributes:
        work: what to do.
        deadline: on the clock of `time.monotonic`.
        owner: whose it is.
        future: its outcome.
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
        """Whether a thread has begun it; not if it was cancelled before."""
        return self.future.running() or (self.future.done() and not self.future.cancelled())

    def cancel(self) -> bool:
        """Drop it, with the photos it holds, unless a thread has begun it; whether it was dropped."""
        dropped = self.future.cancel()
        if dropped:
            self._lanes._forget(self)
        return dropped

    def refuse(self) -> None:
        """Say that no thread will begin it."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(ServiceError(503, BUSY, retry_after=1.0))

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Give its place to another job while this one waits; on leaving, take one again.

        Both photos of a job may be waited for, each in a thread: the place is given up once.

        Raises:
            ServiceError: 503: no place came free before the deadline.
        """
        self._lanes._step_aside(self)
        try:
            yield
        finally:
            self._lanes._step_back(self)


class Lanes:
    """Starts jobs as places come free."""

    def __init__(self, places: int, start: Callable[[Job], object]) -> None:
        """Take what is needed.

        Args:
            places: jobs that compute at once; as many may be aside.
            start: runs a job in a thread, which asks `begin` and calls `done` at the end; must not block. Where
                it raises RuntimeError (no thread can be started), the job is refused.
        """
        self._places = places
        self._start = start
        self._changed = threading.Condition()
        self._pending: list[Job] = []
        self._running: set[Job] = set()
        self._of_owner: Counter[str] = Counter()
        self._computing_of: Counter[str] = Counter()
        self._returning_of: Counter[str] = Counter()
        # When somebody's job last came or ended.
        self._seen: dict[str, float] = {}
        self._served: dict[str, int] = {}
        self._serial = itertools.count(1)
        self._closed = False

    @property
    def started(self) -> int:
        """Jobs that were started and are not done, those aside included."""
        return len(self._running)

    @property
    def closed(self) -> bool:
        """Whether no job is started any more."""
        return self._closed

    @property
    def queued(self) -> int:
        """Jobs that wait to be started."""
        return len(self._pending)

    def submit(self, job: Job) -> None:
        """Start a job as soon as there is a place; refuse it once closed."""
        with self._changed:
            if not self._closed:
                self._seen[job.owner] = time.monotonic()
                self._pending.append(job)
                self._dispatch()
                return
        job.refuse()

    def begin(self, job: Job) -> bool:
        """To be asked by the thread first: whether the job is to run, not refused since."""
        with self._changed:
            return job in self._running

    def done(self, job: Job) -> None:
        """A job that was started has ended; nothing if it was refused instead."""
        with self._changed:
            if job in self._running:
                self._give_back(job)
                self._dispatch()

    def close(self) -> None:
        """Start no job any more; those that wait are refused."""
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
                lambda: (self._computing < self._places and self._room_for(job.owner)) or self._closed,
                max(job.deadline - time.monotonic(), 0.0),
            )
            self._returning_of[job.owner] -= 1
            self._computing_of[job.owner] += 1
        if not in_time:
            raise ServiceError(503, BUSY, retry_after=1.0)

    def _dispatch(self) -> None:
        """Start what may start: of the owner with the fewest jobs, and among those of the one served longest ago."""
        self._pending = [job for job in self._pending if not job.future.cancelled()]
        waiting_owners = {job.owner for job in self._pending}
        self._served = {owner: serial for owner, serial in self._served.items() if owner in waiting_owners}
        while self._computing + self._claimed < self._places and len(self._running) < 2 * self._places:
            waiting = [
                job for job in self._pending if self._of_owner[job.owner] < self._places and self._room_for(job.owner)
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
                # The system gives no thread. An executor may have queued the job all the same and run it later: then
                # it finds itself refused, and its place given back already.
                self._give_back(job)
                job.refuse()

    @property
    def _computing(self) -> int:
        return self._computing_of.total()

    @property
    def _claimed(self) -> int:
        """Places that jobs which were aside will take next."""
        return sum(min(count, self._room_for(owner)) for owner, count in self._returning_of.items())

    def _room_for(self, owner: str) -> int:
        """How many more jobs of an owner may compute. Where none may, one does, and its end makes room."""
        earliest = time.monotonic() - _EXPECTED_SECONDS
        self._seen = {name: seen for name, seen in self._seen.items() if seen > earliest or self._of_owner[name]}
        others = any(name != owner for name in self._seen)
        most = max(self._places - 1, 1) if others else self._places
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
