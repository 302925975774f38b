"""Which workers have a free thread, so that a busy one leaves new connections to them."""

from __future__ import annotations

import asyncio
import mmap
from collections.abc import Callable
from typing import Final

# How long a worker whose threads are all busy leaves a new connection to others that have a free one.
PAUSE_SECONDS: Final = 0.02
_NOTE_SECONDS: Final = 0.1
_FREE: Final = 1


class SharedLoad:
    """A flag for each worker, in memory that they share; make it before they are forked.

    A flag is written and read at once, so no lock is needed. A flag may be old by a tenth of a second: a connection
    then waits without need, or is accepted by a busy worker.
    """

    def __init__(self, workers: int) -> None:
        self._free = mmap.mmap(-1, workers)
        self._workers = workers

    def note(self, number: int, *, free: bool) -> None:
        """Note whether a worker has a free thread; one that has ended has none."""
        self._free[number] = _FREE if free else 0

    def another_is_free(self, number: int) -> bool:
        """Whether a worker other than this one has a free thread."""
        return any(self._free[other] == _FREE for other in range(self._workers) if other != number)

    def pause(self, number: int, *, free: bool) -> float:
        """Seconds for which a worker leaves a new connection to the others.

        Args:
            number: the worker.
            free: whether it has a free thread.
        """
        return PAUSE_SECONDS if not free and self.another_is_free(number) else 0.0

    async def keep_noting(self, number: int, is_free: Callable[[], bool]) -> None:
        """Note the state of a worker again and again."""
        while True:
            self.note(number, free=is_free())
            await asyncio.sleep(_NOTE_SECONDS)
