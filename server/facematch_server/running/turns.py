"""Pipelined requests: all connections take turns at a fixed pace."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

# A pipelined request costs the event loop about a millisecond, so all of them together take a twentieth of its time.
# Browsers, common HTTP libraries and proxies do not pipeline requests today.
PACE_SECONDS: Final = 0.02


class Turns:
    """Lets one connection continue at a time, `PACE_SECONDS` after the previous one. For one event loop.

    Without it, a few connections with thousands of pipelined requests each fill every pass of the event loop, and every
    other request waits for all of them at each of its steps.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def ask(self, go_on: Callable[[], None]) -> None:
        """Call `go_on` at its turn, on the event loop."""
        self._waiting.append(go_on)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(PACE_SECONDS, self._next)

    def _next(self) -> None:
        go_on = self._waiting.popleft()
        if self._waiting:
            asyncio.get_running_loop().call_later(PACE_SECONDS, self._next)
        go_on()
