"""A hard limit on the time that the process takes to stop.

An orderly stop waits for requests, threads and the interpreter, and native code in a thread ignores signals. When the
time is over, the process ends, with everything that still runs.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Final

from facematch_server.logs import log

_TELL_SECONDS: Final = 0.2


class HardEnd:
    """Ends the process at a set time."""

    def __init__(self, end: Callable[[int], object] = os._exit) -> None:
        """`end_process` gets the exit code."""
        self._end = end
        self._at = float("inf")
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def within(self, seconds: float) -> None:
        """End the process after `seconds` at the latest; of several calls the earliest moment counts."""
        with self._changed:
            self._at = min(self._at, time.monotonic() + seconds)
            self._changed.notify()
            if self._thread is None:
                # A daemon thread: the interpreter does not wait for it.
                self._thread = threading.Thread(target=self._wait, name="facematch-end", daemon=True)
                self._thread.start()

    def _wait(self) -> None:
        with self._changed:
            while (left := self._at - time.monotonic()) > 0:
                self._changed.wait(left)
        # Not through the log: the thread that hangs may hold the log's lock.
        telling = threading.Thread(target=_tell, daemon=True)
        telling.start()
        telling.join(_TELL_SECONDS)
        self._end(0)


def _tell() -> None:
    log("stopped in the middle of work")
    for handler in logging.getLogger().handlers:
        handler.flush()
