"""Servers that take requests in their order: the end of a visit is known when it begins, so no events are needed."""

from __future__ import annotations

import heapq
import math


class Station:
    """Equal servers with one queue, first come first served."""

    def __init__(self, servers: int) -> None:
        self._free = [0.0] * servers
        self.busy = 0.0

    def finish(self, now: float, seconds: float) -> float:
        """When a visit that arrives now and takes `seconds` of one server ends."""
        begin = max(now, self._free[0])
        heapq.heapreplace(self._free, begin + seconds)
        self.busy += seconds
        return begin + seconds

    def wait(self, now: float) -> float:
        """How long a visit that arrives now waits for a server."""
        return max(self._free[0] - now, 0.0)

    @property
    def servers(self) -> int:
        """Number of servers."""
        return len(self._free)


class Database:
    """PostgreSQL: a server with several cores, a lock for each API key, and a pool of connections in each service.

    A visit takes a connection of its service's pool, then a core of the server. A commit also holds the counter of its
    key until the log is on the disk, so the commits of one key follow each other.
    """

    def __init__(
        self, cores: int, keys: int, services: int, pool: int, network_seconds: float, patience: float = math.inf
    ) -> None:
        """An idle database.

        Args:
            cores: of the server.
            keys: API keys with traffic.
            services: processes with a pool.
            pool: connections of each.
            network_seconds: that a visit spends between service and server.
            patience: seconds after which a visit gives up waiting.
        """
        self.server = Station(cores)
        self._counters = [Station(1) for _ in range(keys)]
        self._pools = [[0.0] * pool for _ in range(services)]
        self._network = network_seconds
        self._patience = patience

    def visit(self, now: float, service: int, cpu_seconds: float, key: int = -1, hold_seconds: float = 0.0) -> float:
        """When a transaction that a service begins now ends; infinite if it gives up waiting before.

        Args:
            now: the time.
            service: which pool.
            cpu_seconds: of the server.
            key: the counter that the transaction holds; -1 for none.
            hold_seconds: how long it holds it.
        """
        pool = self._pools[service]
        begin = max(now, pool[0])
        waits = self.server.wait(begin) + (self._counters[key].wait(begin) if key >= 0 else 0.0)
        if begin + waits > now + self._patience:
            return math.inf
        end = self.server.finish(begin, cpu_seconds)
        if key >= 0:
            end = self._counters[key].finish(end, hold_seconds)
        end += self._network
        heapq.heapreplace(pool, end)
        return end

    def fullest_counter(self, seconds: float) -> float:
        """Utilisation of the busiest key's counter."""
        return max(counter.busy for counter in self._counters) / seconds
