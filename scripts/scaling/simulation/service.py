"""One process of the service: slots, a queue, threads, a helper thread for the second photo of a request."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import simpy

from scripts.scaling.simulation.processor import Processor


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How a process works.

    Attributes:
        cores: threads that compute requests, and cores for them.
        queue_size: requests that may wait or send their body beside them; a further one is refused (503).
        deadline: seconds from the arrival; a request that no thread has begun by then is refused.
        parallel: part of a request's work that a second, idle core can do half of.
        efficiency: cores' worth of work that all cores do together, divided by their number.
        slowdown: work of a request on all cores divided by that on one, the same photos.
    """

    cores: int = 2
    queue_size: int = 32
    deadline: float = 20.0
    parallel: float = 0.0
    efficiency: float = 1.0
    slowdown: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A request on its way; equal to itself only.

    Attributes:
        number: place in the order of arrival.
        arrived: when.
        work: CPU seconds on one core.
        key: number of its API key.
        target: number of the process that the balancer chose.
        life: of that process, see `Fleet`.
    """

    number: int
    arrived: float
    work: float
    key: int
    target: int
    life: int


class ServiceProcess:
    """A process of the service; it calls `computed` or `late` once for each accepted request that it does not lose."""

    def __init__(
        self,
        env: simpy.Environment,
        settings: ServiceSettings,
        computed: Callable[[Request], None],
        late: Callable[[Request], None],
    ) -> None:
        """An idle process.

        Args:
            env: the event loop.
            settings: how it works.
            computed: called when the comparison of a request ended; its slot is free then.
            late: called when a thread takes up a request after its deadline.
        """
        self._env = env
        self._settings = settings
        self._computed = computed
        self._late = late
        self._queue: deque[Request] = deque()
        self.processor = Processor(env, settings.cores * settings.efficiency)
        self._slots = settings.cores + settings.queue_size
        self._jobs = 0
        self._computing = 0
        self._held: set[Request] = set()  # requests with a slot

    def accept(self, request: Request, upload_seconds: float = 0.0) -> bool:
        """Give the request a slot, receive its body, compute it; False if all slots are taken."""
        if len(self._held) >= self._slots:
            return False
        self._held.add(request)
        if upload_seconds > 0.0:
            timeout = self._env.timeout(upload_seconds, request)
            timeout.callbacks.append(lambda event: self._received(event.value))
        else:
            self._received(request)
        return True

    def fail(self) -> list[Request]:
        """The machine fails: forget all requests; return those that held a slot."""
        lost = list(self._held)
        self._held.clear()
        self._queue.clear()
        self.processor.stop()
        self._jobs = self._computing = 0
        return lost

    def _received(self, request: Request) -> None:
        if request not in self._held:  # lost with its machine
            return
        if self._jobs < self._settings.cores:
            self._start(request)
        else:
            self._queue.append(request)

    def _start(self, request: Request) -> None:
        settings = self._settings
        self._jobs += 1
        self._computing += 1
        work = request.work * settings.slowdown
        if settings.parallel > 0.0 and self._computing < settings.cores:
            # A core is idle: a helper thread takes one photo, this thread the other one and the rest.
            half = work * settings.parallel / 2.0
            waiting = [2]
            self._computing += 1

            def helped() -> None:
                self._computing -= 1
                joined()

            def joined() -> None:
                waiting[0] -= 1
                if not waiting[0]:
                    self._end(request)

            self.processor.run(half, helped)
            self.processor.run(work - half, joined)
        else:
            self.processor.run(work, lambda: self._end(request))

    def _end(self, request: Request) -> None:
        self._jobs -= 1
        self._computing -= 1
        self._held.discard(request)
        self._next()
        self._computed(request)

    def _next(self) -> None:
        while self._queue and self._jobs < self._settings.cores:
            request = self._queue.popleft()
            if self._env.now - request.arrived >= self._settings.deadline:
                self._held.discard(request)
                self._late(request)
            else:
                self._start(request)
