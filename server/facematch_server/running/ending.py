"""The end that nothing can put off.

Going down in order waits for requests, for threads and for the interpreter, and native code in a thread takes no notice
of a signal. Whatever still runs when the time is up ends with the process.
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
    """Ends the process at a time, unless it has ended by then."""

    def __init__(self, end: Callable[[int], object] = os._exit) -> None:
        """Take what ends the process, given its exit code."""
        self._end = end
        self._at = float("inf")
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def within(self, seconds: float) -> None:
        """End the process in so many seconds at the latest; of several times the earliest counts."""
        with self._changed:
            self._at = min(self._at, time.monotonic() + seconds)
            self._changed.notify()
            if self._thread is None:
                # A daemon: the interpreter does not wait for it.
                self._thread = threading.Thread(target=self._wait, name="facematch-end", daemon=True)
                self._thread.start()

    def _wait(self) -> None:
        with self._changed:
            while (left := self._at - time.monotonic()) > 0:
                self._changed.wait(left)
        # Whoever holds the log's lock may be what hangs: nobody reads what it writes.
        telling = threading.Thread(target=_tell, daemon=True)
        telling.start()
        telling.join(_TELL_SECONDS)
        self._end(0)


def _tell() -> None:
    log("stopped in the middle of work")
    for handler in logging.getLogger().handlers:
        handler.flush()
