"""Progress of a run on standard error: a bar on a terminal, else a line from time to time."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from facematch_local.batch.tally import VERDICTS, Tally

if TYPE_CHECKING:
    from rich.console import Console

    from facematch_local.batch.rows import Outcome

_REDRAW: Final = 0.25


class ConsoleWatcher:
    """Shows rate, time left and counts of outcomes of this run."""

    def __init__(self, console: Console, every: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Take where to show it.

        Args:
            console: writes to standard error.
            every: seconds between lines where the console is not a terminal.
            clock: seconds.
        """
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[counts]}"), TimeRemainingColumn())
        self._console, self._clock = console, clock
        self._every = _REDRAW if console.is_terminal else every
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self._progress.add_task("rows", total=None, counts="")
        self._tally, self._total, self._finished = Tally(), 0, 0
        self._started = self._shown = clock()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @property
    def seconds(self) -> float:
        """Since the first row of this run."""
        return self._clock() - self._started

    def begin(self, total: int, finished: int) -> None:
        """Take the rows of the run, and those that an earlier run has finished."""
        self._total, self._finished = total, finished
        self._started = self._shown = self._clock()
        # Rows of an earlier run are no progress of this one: they must not count in the time left.
        self._progress.reset(self._task, total=total, completed=finished)

    def advance(self, outcome: Outcome) -> None:
        """Count an outcome; show it if the last line is old enough."""
        self._tally.add(outcome)
        now = self._clock()
        if now - self._shown < self._every:
            return
        self._shown = now
        done = self._finished + self._tally.rows
        if self._console.is_terminal:
            self._progress.update(self._task, completed=done, counts=self._counts())
        else:
            rate = self._tally.rows / max(self.seconds, 1e-9)
            left = _duration((self._total - done) / rate)
            self._console.print(f"{done:,} of {self._total:,} rows, {left} left; {self._counts()}", markup=False)

    def _counts(self) -> str:
        rate = self._tally.rows / max(self.seconds, 1e-9)
        verdicts = (f"{verdict} {self._tally.verdicts[verdict]:,}" for verdict in VERDICTS)
        return ", ".join((f"{rate:.1f}/s", *verdicts, f"errors {self._tally.failed:,}"))


def _duration(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
