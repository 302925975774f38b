"""Steps of a long command on standard error: a changing line on a terminal, else a line for each stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console


class StepWatcher:
    """Shows the present step and the seconds since the start."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        """Take where to show it.

        Args:
            console: writes to standard error.
            clock: seconds.
        """
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._console, self._clock = console, clock
        columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task = self._progress.add_task("", total=None)
        self._started = clock()
        self._stage = ""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def tell(self, step: str) -> None:
        """Show a step; the part before a colon names its stage."""
        if self._console.is_terminal:
            self._progress.update(self._task, description=step)
            return
        stage = step.partition(":")[0]
        if stage != self._stage:
            self._stage = stage
            self._console.print(f"{self._clock() - self._started:4.0f} s  {stage}", markup=False)
