"""PostgreSQL: a server with several cores, a lock for each API key, and a pool of connections in each service."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import simpy

from scripts.scaling.simulation.stations import Station


@dataclass(frozen=True, slots=True)
class Visit:
    """A transaction.

    Attributes:
        service: which pool.
        cpu_seconds: of the server.
        key: the counter that it holds until the log is on the disk; -1 for none.
        hold_seconds: how long it holds it.
        done: called at its end.
        gave_up: called instead if it waited for too long.
    """

    service: int
    cpu_seconds: float
    key: int
    hold_seconds: float
    done: Callable[[], None]
    gave_up: Callable[[], None]


class Database:
    """A transaction takes a connection of its service's pool, then a core of the server.

    A commit also holds the counter of its key, so the commits of one key follow each other.
    """

    def __init__(
        self,
        env: simpy.Environment,
        cores: int,
        keys: int,
        services: int,
        pool: int,
        network_seconds: float,
        patience: float,
    ) -> None:
        """An idle database.

        Args:
            env: the event loop.
            cores: of the server.
            keys: API keys with traffic.
            services: processes with a pool.
            pool: connections of each.
            network_seconds: that a transaction spends between service and server.
            patience: seconds after which a transaction gives up waiting.
        """
        self._env = env
        self.server = Station(cores)
        self._counters = [Station(1) for _ in range(keys)]
        self._free = [pool] * services
        self._waiting: list[deque[tuple[float, Visit]]] = [deque() for _ in range(services)]
        self._network = network_seconds
        self._patience = patience

    def visit(self, visit: Visit) -> None:
        """Begin a transaction as soon as a connection is free."""
        if self._free[visit.service]:
            self._begin(self._env.now, visit)
        else:
            self._waiting[visit.service].append((self._env.now, visit))

    def fullest_counter(self, seconds: float) -> float:
        """Utilisation of the busiest key's counter."""
        return max(counter.busy for counter in self._counters) / seconds

    def _begin(self, asked: float, visit: Visit) -> None:
        now = self._env.now
        latest = asked + self._patience
        wait = self.server.wait(now)
        if visit.key >= 0:
            wait = max(wait, self._counters[visit.key].wait(now))
        self._free[visit.service] -= 1
        if now + wait > latest:
            # It keeps its connection until then.
            self._end_after(max(latest - now, 0.0), visit.service, visit.gave_up)
            return
        end = self.server.finish(now, visit.cpu_seconds)
        if visit.key >= 0:
            end = self._counters[visit.key].finish(end, visit.hold_seconds)
        self._end_after(end + self._network - now, visit.service, visit.done)

    def _end_after(self, seconds: float, service: int, then: Callable[[], None]) -> None:
        self._env.timeout(seconds).callbacks.append(lambda _: self._end(service, then))

    def _end(self, service: int, then: Callable[[], None]) -> None:
        self._free[service] += 1
        if self._waiting[service]:
            self._begin(*self._waiting[service].popleft())
        then()
