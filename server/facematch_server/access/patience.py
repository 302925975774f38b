"""How long a request waits for the database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from facematch_server.access.workers import LateError
from facematch_server.store.errors import UnavailableError, Why

# The store stops waiting by itself. A call that hangs inside a driver is abandoned this much later.
GRACE_SECONDS: Final = 0.25


class Patience:
    """The time that a request may still wait for the database before it is admitted.

    Attributes:
        deadline: when the request must be answered, on the clock of `time.monotonic`.
    """

    def __init__(self, seconds: float, deadline: float) -> None:
        self.deadline = deadline
        # The least time for the second step, since the first one has admitted the request.
        self._least = seconds / 4
        self._left = seconds

    @contextmanager
    def spent(self) -> Iterator[float]:
        """Give the moment until which to wait, and subtract the time that the block takes."""
        begun = time.monotonic()
        try:
            yield min(begun + max(self._left, self._least), self.deadline)
        finally:
            self._left -= time.monotonic() - begun


@contextmanager
def in_time() -> Iterator[None]:
    """Report a late job as a database that does not answer.

    Raises:
        UnavailableError: the job in the block was late.
    """
    try:
        yield
    except LateError:
        raise UnavailableError(str(Why.SLOW), Why.SLOW) from None
