"""Servers that take requests in their order: the end of a visit is known when it begins, so no events are needed."""

from __future__ import annotations

import heapq


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
