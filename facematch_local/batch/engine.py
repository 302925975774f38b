"""Rows in chunks to outcomes, with a bounded number of chunks in work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from facematch_local.batch.examinations import Examinations
from facematch_local.batch.examining import outcome_of
from facematch_local.batch.rows import Outcome, Pair, failed
from facematch_local.calibration import Calibration
from facematch_local.checks import Role


class FailedRowError(Exception):
    """A row has no result, and the work was to end then."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.id)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that become one part.

    Attributes:
        number: from 0.
        pairs: rows, in the order of the list.
    """

    number: int
    pairs: Sequence[Pair]


def in_chunks(pairs: Iterable[Pair], size: int) -> Iterator[Chunk]:
    """Cut a list into chunks; the last one may be shorter."""
    rows, number = iter(pairs), 0
    while chunk := tuple(islice(rows, size)):
        yield Chunk(number, chunk)
        number += 1


async def work_off(
    chunks: Iterable[Chunk],
    examinations: Examinations,
    calibration: Calibration,
    save: Callable[[Chunk, Sequence[Outcome]], None],
    advance: Callable[[Outcome], None],
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
        save: called in a thread with each finished chunk and its outcomes, in the order of the rows.
        advance: called with each outcome, in the order in which they are known.
        fail_fast: end at the first outcome with a fault; chunks in work are lost.
        at_once: chunks in work.

    Raises:
        FailedRowError: a row has a fault, with `fail_fast`.
        FacematchError, OSError: as `examinations` and `save` raise.
    """

    async def row(pair: Pair) -> Outcome:
        if pair.fault is not None:
            outcome = failed(pair, pair.fault)
        else:
            first, second = examinations.of(pair.path1, Role(pair.type1)), examinations.of(pair.path2, Role.PORTRAIT)
            outcome = outcome_of(pair, await first, await second, calibration)
        if fail_fast and outcome.fault is not None:
            raise FailedRowError(outcome)
        advance(outcome)
        return outcome

    async def part(chunk: Chunk) -> None:
        outcomes = await asyncio.gather(*map(row, chunk.pairs))
        await asyncio.to_thread(save, chunk, outcomes)

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
