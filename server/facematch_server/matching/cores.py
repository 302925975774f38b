"""How many threads compute at this moment."""

from __future__ import annotations

import threading


class Cores:
    """Counts the threads that compute, so that a helper thread starts only if a core is idle.

    The pool and `SpareThreads` share it. `FaceMatcher` gives the first photo to `SpareThreads` and examines the second
    one itself: a lone request uses two cores, and under load each request keeps to its own thread.

    Attributes:
        count: the cores that the service may use.
        large_photo_lock: held while a large photo is unpacked whole, so that one of them is in memory at a time.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.large_photo_lock = threading.Lock()
        self._busy = 0
        self._lock = threading.Lock()

    @property
    def busy(self) -> int:
        """Threads that compute now."""
        return self._busy

    def take(self) -> None:
        """Count one more computing thread, also if no core is idle. Never blocks."""
        with self._lock:
            self._busy += 1

    def take_if_idle(self) -> bool:
        """Count one more computing thread if a core is idle for it; return whether it was counted. Never blocks."""
        with self._lock:
            if self._busy >= self.count:
                return False
            self._busy += 1
            return True

    def give_back(self) -> None:
        """Count one thread less."""
        with self._lock:
            self._busy -= 1
