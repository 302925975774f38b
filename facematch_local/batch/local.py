"""Works off rows on this machine."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from facematch_local.batch.chunks import Selection
from facematch_local.batch.engine import Advance, Save, work_off
from facematch_local.batch.examinations import Examinations
from facematch_local.batch.examining import Examined, Identity
from facematch_local.batch.fetching import fetch_of
from facematch_local.batch.rows import Fault
from facematch_local.checks import Role

if TYPE_CHECKING:
    from facematch_local.batch.job import Job


class Pool(Protocol):
    """What the engine needs of `Workers`."""

    def start(self) -> Identity:
        """Start, and state what results depend on."""
        ...

    async def examine(self, data: bytes, role: Role) -> Examined | Fault:
        """Examine an encoded photo."""
        ...


class LocalEngine:
    """An `Engine` by a pool of processes: one event loop reads photos ahead and examines each one once."""

    def __init__(self, pool: AbstractContextManager[Pool]) -> None:
        """Take the pool; it is entered and left with the engine."""
        self._pool = pool

    def __enter__(self) -> Self:
        self._workers = self._pool.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.__exit__(kind, error, trace)

    def start(self) -> Identity:
        """Start the pool, and state what results depend on."""
        return self._workers.start()

    def work_off(self, job: Job, selection: Selection, identity: Identity, save: Save, advance: Advance) -> None:
        """Work off all rows of a selection, as `Engine` says."""
        asyncio.run(self._work_off(job, selection, identity, save, advance))

    async def _work_off(self, job: Job, selection: Selection, identity: Identity, save: Save, advance: Advance) -> None:
        # Each process has a photo in work and one waiting; the others are on their way.
        slots = 3 * job.jobs + 2
        threads = ThreadPoolExecutor(slots, thread_name_prefix="facematch-fetch")
        try:
            examinations = Examinations(
                partial(fetch_of, job.root), self._workers.examine, threads, slots=slots, kept=job.kept
            )
            await work_off(
                selection.chunks(), examinations, identity.calibration, save, advance, fail_fast=job.fail_fast
            )
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
