"""The cores of one service: threads that compute share them equally."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import simpy


class Processor:
    """Processor sharing: as long as no more threads compute than there are cores, each has a core of its own.

    All threads run at the same speed, so each ends when the work that any thread has got since the start reaches a
    fixed number. Only the thread with the smallest number needs an event.

    Attributes:
        busy: core seconds used.
    """

    def __init__(self, env: simpy.Environment, cores: float) -> None:
        """Idle cores.

        Args:
            env: the event loop.
            cores: cores' worth of work a second; a fraction where threads wait for each other.
        """
        self._env = env
        self._cores = cores
        self._threads: list[tuple[float, int, Callable[[], None]]] = []
        self._work = 0.0  # that a thread present since the start has got
        self._since = 0.0
        self._serial = 0
        self._waking = 0
        self.busy = 0.0

    @property
    def threads(self) -> int:
        """Threads that compute now."""
        return len(self._threads)

    def run(self, seconds: float, done: Callable[[], None]) -> None:
        """Add a thread with `seconds` of work; call `done` at its end."""
        self._advance()
        self._serial += 1
        heapq.heappush(self._threads, (self._work + seconds, self._serial, done))
        self._wake()

    def stop(self) -> None:
        """Drop all threads."""
        self._advance()
        self._threads.clear()
        self._waking += 1

    def _speed(self) -> float:
        return min(1.0, self._cores / len(self._threads))

    def _advance(self) -> None:
        now = self._env.now
        if self._threads and now > self._since:
            got = (now - self._since) * self._speed()
            self._work += got
            self.busy += got * len(self._threads)
        self._since = now

    def _wake(self) -> None:
        self._waking += 1
        if not self._threads:
            return
        number = self._waking
        left = max(self._threads[0][0] - self._work, 0.0)
        timeout = self._env.timeout(left / self._speed(), number)
        timeout.callbacks.append(self._woken)

    def _woken(self, event: Any) -> None:
        if event.value != self._waking:  # a thread came or went meanwhile
            return
        self._advance()
        end, _, done = heapq.heappop(self._threads)
        self._work = end  # without the rounding of the clock
        self._wake()
        done()
