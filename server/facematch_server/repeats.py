"""Limits repeated log lines, so that they cannot fill the disk."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

PER_WINDOW: Final = 5
WINDOW_SECONDS: Final = 60.0
# Number of remembered kinds; the code has fewer.
_MAX_KINDS: Final = 1000


@dataclass(slots=True)
class _Kind:
    """Lines of one kind in the present window: passed, and left out."""

    since: float
    passed: int = 0
    left_out: int = 0


class RepeatFilter(logging.Filter):
    """Lets a few lines of each kind pass per minute; the next line that passes says how many were left out.

    A kind is a logger, a level, a text without its values, and an exception. Lines of single requests always pass,
    since each request has one, and so do lines below a warning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[Any, ...], _Kind] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is printed; adds `left_out` to its fields."""
        fields = getattr(record, "fields", None)
        fields = fields if isinstance(fields, Mapping) else {}
        if record.levelno < logging.WARNING or "request_id" in fields:
            return True
        key = (record.name, record.levelno, str(record.msg), fields.get("exception"), str(fields.get("at")))
        with self._lock:
            left_out = self._admit(key)
        if left_out is None:
            return False
        if left_out:
            record.fields = {**fields, "left_out": left_out}
        return True

    def _admit(self, key: tuple[Any, ...]) -> int | None:
        """The number of lines of the kind left out before this one; None if this one is left out, too."""
        now = self._clock()
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= _MAX_KINDS:
                self._kinds.clear()
            kind = self._kinds[key] = _Kind(now)
        if now - kind.since >= WINDOW_SECONDS:
            left_out, kind.since, kind.passed, kind.left_out = kind.left_out, now, 1, 0
            return left_out
        if kind.passed >= PER_WINDOW:
            kind.left_out += 1
            return None
        kind.passed += 1
        return 0
