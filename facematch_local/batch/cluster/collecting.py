"""Outcomes that arrive in any order, put together to chunks."""

from __future__ import annotations

from facematch_local.batch.cluster.tasks import Done
from facematch_local.batch.engine import Advance, FailedRowError, Save
from facematch_local.batch.rows import Outcome


class Collector:
    """Saves each chunk as soon as all its rows have an outcome.

    A task that a cluster does again, since it lost a node, counts once.
    """

    def __init__(self, save: Save, advance: Advance, *, fail_fast: bool = False) -> None:
        """Take where outcomes go.

        Args:
            save: called with each complete chunk.
            advance: called with each outcome, as it arrives.
            fail_fast: end at the first outcome with a fault.
        """
        self._save, self._advance, self._fail_fast = save, advance, fail_fast
        self._open: dict[int, list[Outcome | None]] = {}
        self._saved: set[int] = set()

    @property
    def incomplete(self) -> int:
        """Number of chunks of which some rows have no outcome yet."""
        return len(self._open)

    def add(self, done: Done) -> None:
        """Take the outcomes of a task.

        Raises:
            FailedRowError: one has a fault, with `fail_fast`.
            OSError: as `save` raises.
        """
        if done.chunk in self._saved:
            return
        rows = self._open.setdefault(done.chunk, [None] * done.size)
        for place, outcome in enumerate(done.outcomes, done.start):
            if rows[place] is not None:
                continue
            if self._fail_fast and outcome.fault is not None:
                raise FailedRowError(outcome)
            rows[place] = outcome
            self._advance(outcome)
        complete = [outcome for outcome in rows if outcome is not None]
        if len(complete) == done.size:
            self._save(done.chunk, complete)
            self._saved.add(done.chunk)
            del self._open[done.chunk]
