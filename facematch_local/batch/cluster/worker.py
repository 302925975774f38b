"""What runs on the nodes: an actor that works off rows, and the check of a node before the run. Neither imports Ray."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from facematch_local import __version__
from facematch_local.batch.cluster.tasks import COLUMN, Done, Task, packed, unpacked
from facematch_local.batch.engine import outcome
from facematch_local.batch.examinations import Examinations
from facematch_local.batch.examining import Identity
from facematch_local.batch.fetching import FetchError, fetch_of
from facematch_local.batch.rows import Fault
from facematch_local.batch.workers import Opener, Workers
from facematch_local.errors import FacematchError

# Photos of an actor whose bytes are held at a time: one in work, one waiting, the others on their way.
_SLOTS: Final = 4


@dataclass(frozen=True, slots=True)
class NodeState:
    """What a node says of itself.

    Attributes:
        version: of facematch-local.
        identity: what its results depend on; None if it cannot examine photos.
        problem: why it cannot.
    """

    version: str
    identity: Identity | None
    problem: str = ""


def node_state(opener: Opener) -> NodeState:
    """Open an examiner once, in a process that ends afterwards."""
    try:
        with Workers(opener, 1) as workers:
            return NodeState(__version__, workers.start())
    except FacematchError as error:
        return NodeState(__version__, None, str(error))


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Of an actor.

    Attributes:
        opener: opens the examiner.
        root: folder or URL that relative paths are relative to.
        kept: examined photos to keep.
        identity: what results must depend on, as the run's record states it.
    """

    opener: Opener
    root: str
    kept: int
    identity: Identity


class RowWorker:
    """Works off tasks, one at a time.

    The models are in a process of their own, as in a batch on one machine: a photo that ends it costs one row, and
    nothing that a library prints reaches the logs of the cluster.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        """Load the models.

        Raises:
            FacematchError: they cannot be loaded, or are others than those of the run.
        """
        self._root, self._identity = settings.root, settings.identity
        self._carried: dict[str, bytes | Fault] = {}
        self._workers = Workers(settings.opener, 1)
        if self._workers.start() != settings.identity:
            self.close()
            raise FacematchError("the node has another pack, calibration or policy than the run")
        self._threads = ThreadPoolExecutor(_SLOTS, thread_name_prefix="facematch-fetch")
        self._examinations = Examinations(
            self._fetch, self._workers.examine, self._threads, slots=_SLOTS, kept=settings.kept
        )
        self._runner = asyncio.Runner()

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Work off the task of a row of the dataset."""
        return {COLUMN: packed(self.work_off(unpacked(row[COLUMN])))}

    def work_off(self, task: Task) -> Done:
        """Work off a task."""
        self._carried.update(task.photos)
        try:
            outcomes = self._runner.run(self._outcomes(task))
        finally:
            self._carried.clear()
        return Done(task.chunk, task.start, task.size, outcomes)

    def close(self) -> None:
        """End the process with the models."""
        self._workers.__exit__(None, None, None)

    async def _outcomes(self, task: Task) -> list[Any]:
        calibration = self._identity.calibration
        return await asyncio.gather(*(outcome(pair, self._examinations, calibration) for pair in task.pairs))

    def _fetch(self, path: str) -> bytes:
        carried = self._carried.get(path)
        if carried is None:
            return fetch_of(self._root, path)
        if isinstance(carried, Fault):
            raise FetchError(carried.code, carried.reason)
        return carried
