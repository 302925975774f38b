"""Rows in chunks to outcomes, with a bounded number of chunks in work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from facematch_local.batch.chunks import Chunk
from facematch_local.batch.examinations import Examinations
from facematch_local.batch.examining import outcome_of
from facematch_local.batch.rows import Outcome, Pair, failed
from facematch_local.calibration import Calibration
from facematch_local.checks import Role

Save = Callable[[int, Sequence[Outcome]], None]
"""Saves a finished chunk: its number, and the outcomes in the order of its rows."""

Advance = Callable[[Outcome], None]
"""Is shown an outcome."""


class FailedRowError(Exception):
    """A row has no result, and the work was to end then."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.id)
        self.outcome = outcome


async def outcome(pair: Pair, examinations: Examinations, calibration: Calibration) -> Outcome:
    """The outcome of a row; its two photos are examined side by side."""
    if pair.fault is not None:
        return failed(pair, pair.fault)
    first, second = examinations.of(pair.path1, Role(pair.type1)), examinations.of(pair.path2, Role.PORTRAIT)
    return outcome_of(pair, await first, await second, calibration)


async def work_off(
    chunks: Iterable[Chunk],
    examinations: Examinations,
    calibration: Calibration,
    save: Save,
    advance: Advance,
    *,
    fail_fast: bool = False,
    at_once: int = 2,
) -> None:
    """Work off chunks.

    Rows of a chunk are worked off side by side, and the next chunk starts before the last one ends, so that all
    processes have work. A photo that occurs in several of these rows is examined once, wherever they stand.

    Args:
        chunks: read as they are needed.
        examinations: gives examined photos.
        calibration: the curve from cosine to percent.
        save: called in a thread for each finished chunk.
        advance: called with each outcome, in the order in which they are known.
        fail_fast: end at the first outcome with a fault; chunks in work are lost.
        at_once: chunks in work.

    Raises:
        FailedRowError: a row has a fault, with `fail_fast`.
        FacematchError, OSError: as `examinations` and `save` raise.
    """

    async def row(pair: Pair) -> Outcome:
        result = await outcome(pair, examinations, calibration)
        if fail_fast and result.fault is not None:
            raise FailedRowError(result)
        advance(result)
        return result

    async def part(chunk: Chunk) -> None:
        outcomes = await asyncio.gather(*map(row, chunk.pairs))
        await asyncio.to_thread(save, chunk.number, outcomes)

    working: set[asyncio.Task[None]] = set()
    try:
        for chunk in chunks:
            working.add(asyncio.create_task(part(chunk)))
            if len(working) == at_once:
                working = await _some_done(working)
        while working:
            working = await _some_done(working)
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)


async def _some_done(working: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait for a chunk; give those that are still in work, or raise what one has raised."""
    done, pending = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return pending
