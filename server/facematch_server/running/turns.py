"""Requests that came before the reply to the one ahead of them: all connections take turns at a fixed pace."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

# One pipelined request costs the event loop about a millisecond; so all of them together take a twentieth of it.
# No browser, no HTTP library in common use and no proxy pipelines requests today.
PACE_SECONDS: Final = 0.02


class Turns:
    """Lets one connection go on at a time, `PACE_SECONDS` after the one before it.

    Without it, a few connections with thousands of pipelined requests each fill every pass of the event loop, and
    every other request waits for all of them at each of its steps. Of one event loop only.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def ask(self, go_on: Callable[[], None]) -> None:
        """Call `go_on` when it is its turn; on the event loop."""
        self._waiting.append(go_on)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(PACE_SECONDS, self._next)

    def _next(self) -> None:
        go_on = self._waiting.popleft()
        if self._waiting:
            asyncio.get_running_loop().call_later(PACE_SECONDS, self._next)
        go_on()
