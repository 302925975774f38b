"""The engine of `facematch batch --engine ray`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from facematch_local import __version__
from facematch_local.batch.chunks import Selection
from facematch_local.batch.cluster.collecting import Collector
from facematch_local.batch.cluster.connecting import connected
from facematch_local.batch.cluster.tasks import COLUMN, in_tasks, packed, unpacked, with_photos
from facematch_local.batch.cluster.worker import NodeState, RowWorker, WorkerSettings, node_state
from facematch_local.batch.engine import Advance, Save
from facematch_local.batch.examining import Identity
from facematch_local.batch.fetching import fetch_of
from facematch_local.batch.locations import is_url
from facematch_local.batch.workers import Opener
from facematch_local.cpu import available_cpus
from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    from facematch_local.batch.job import Job

# Rows of a task at least (each task costs some milliseconds) and at most, and tasks of an actor in a run at least: so
# the last tasks end at about the same time on all nodes.
_LEAST_ROWS: Final = 4
_MOST_ROWS: Final = 32
_TURNS: Final = 32
# Tasks that an actor has in work or waiting.
_TASKS: Final = 2
# What rows and photos on their way to an actor may take in memory, and what Ray itself puts there, in bytes.
_WAITING: Final = 32 * 1024 * 1024
_OBJECT_STORE: Final = 128 * 1024 * 1024
# Until all nodes have loaded their models once.
_START_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Which cluster, and how to use it.

    Attributes:
        address: HOST:PORT of the head, "auto", or None for a cluster of this machine.
        jobs: actors, with one CPU each; None for as many as the cluster has CPUs.
        carry_photos: this machine reads the photos and sends them; otherwise the nodes read them.
        segment: tasks of a dataset; Ray Data keeps 5 kB for each task of a dataset until its end.
    """

    address: str | None = None
    jobs: int | None = None
    carry_photos: bool = False
    segment: int = 100_000


class RayEngine:
    """An `Engine` on a Ray cluster.

    One task of Ray Data on this machine reads the list, as far as the actors need rows. Each actor has a CPU, the
    models in a process of its own, and examined photos of recent rows. If a node is lost, Ray gives its rows to other
    actors. This process writes all parts.
    """

    def __init__(self, opener: Opener, settings: ClusterSettings) -> None:
        """Take what actors open, and the cluster."""
        self._opener, self._settings = opener, settings
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        settings = self._settings
        jobs = settings.jobs or available_cpus()
        self._ray = self._stack.enter_context(connected(settings.address, jobs, _OBJECT_STORE + 2 * _waiting(jobs)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def start(self) -> Identity:
        """Check all nodes, and state what results depend on.

        Raises:
            FacematchError: a node lacks facematch-local or the models, or has others than another node.
        """
        nodes = [node for node in self._ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        if not nodes:
            raise FacematchError("no node of the cluster has a CPU")
        ask = self._ray.remote(num_cpus=0, max_retries=0)(node_state)
        states = {
            node["NodeManagerAddress"] + f" ({node['NodeID'][:8]})": ask.options(
                label_selector=_on_node(node["NodeID"])
            ).remote(self._opener)
            for node in nodes
        }
        identities = [self._checked(node, state) for node, state in states.items()]
        if any(identity != identities[0] for identity in identities):
            raise FacematchError("the nodes of the cluster differ in pack, calibration or policy")
        return identities[0]

    def _checked(self, node: str, asked: Any) -> Identity:
        try:
            state: NodeState = self._ray.get(asked, timeout=_START_SECONDS)
        except self._ray.exceptions.GetTimeoutError:
            raise FacematchError(f"node {node}: does not answer") from None
        except self._ray.exceptions.RayError as error:
            missing = "ModuleNotFoundError" in str(error)
            reason = "facematch-local is not installed" if missing else f"fails ({type(error).__name__})"
            raise FacematchError(f"node {node}: {reason}") from None
        if state.version != __version__:
            raise FacematchError(f"node {node}: has facematch-local {state.version}, this command is {__version__}")
        if state.identity is None:
            raise FacematchError(f"node {node}: {state.problem}")
        return state.identity

    def work_off(self, job: Job, selection: Selection, identity: Identity, save: Save, advance: Advance) -> None:
        """Work off all rows of a selection, as `Engine` says.

        Raises:
            FacematchError: the cluster fails.
            FailedRowError, OSError: as `Engine` says.
        """
        jobs = self._settings.jobs or max(int(self._ray.cluster_resources().get("CPU", 1)), 1)
        root = job.root if is_url(job.root) else os.path.abspath(job.root)
        settings = WorkerSettings(self._opener, root, job.kept, identity)
        collector = Collector(save, advance, fail_fast=job.fail_fast)
        # Photos that travel take memory in the object store, which holds a few small tasks for each actor.
        carried = self._settings.carry_photos
        rows = _LEAST_ROWS if carried else rows_of_a_task(selection.rows, jobs)
        _set_up(self._ray.data.DataContext.get_current(), jobs)
        photos_of = root if self._settings.carry_photos else None
        here = replace(selection, pairs=selection.pairs.absolute())
        for segment in here.segments(max(self._settings.segment * rows // selection.chunk, 1)):
            read = partial(_read, segment, rows, photos_of)
            for row in _rows(self._dataset(read, settings, jobs)):
                collector.add(unpacked(row[COLUMN]))
        if collector.incomplete:
            raise FacematchError("the cluster lost rows; finished parts stay for --resume")

    def _dataset(self, read: Callable[[Any], Iterator[Any]], settings: WorkerSettings, jobs: int) -> Any:
        data = self._ray.data
        here = _on_node(self._ray.get_runtime_context().get_node_id())
        source = data.from_items([{COLUMN: b""}], override_num_blocks=1)
        tasks = source.map_batches(read, batch_size=None, num_cpus=0, label_selector=here)
        return tasks.map(
            RowWorker,
            fn_constructor_args=(settings,),
            compute=data.ActorPoolStrategy(size=jobs, max_tasks_in_flight_per_actor=_TASKS),
            num_cpus=1,
        )


def rows_of_a_task(rows: int, jobs: int) -> int:
    """How many rows an actor gets at a time, in a run of `rows` rows with `jobs` actors."""
    return min(max(rows // (_TURNS * jobs), _LEAST_ROWS), _MOST_ROWS)


def _read(selection: Selection, rows: int, photos_of: str | None, _: Any) -> Iterator[dict[str, list[bytes]]]:
    """The tasks of a run, in a Ray task on the machine that has the list; the same every time, should Ray repeat it."""
    tasks = in_tasks(selection.chunks(), rows)
    if photos_of is not None:
        tasks = with_photos(tasks, partial(fetch_of, photos_of))
    for task in tasks:
        yield {COLUMN: [packed(task)]}


def _rows(dataset: Any) -> Iterator[Any]:
    try:
        yield from dataset.iter_rows()
    # Messages of Ray contain what tasks were called with.
    except Exception as error:
        cause = getattr(error, "cause", None)
        reason = str(cause) if isinstance(cause, FacematchError) else type(error).__name__
        raise FacematchError(f"the cluster cannot go on ({reason}); finished parts stay for --resume") from None


def _set_up(context: Any, jobs: int) -> None:
    """Settings of Ray Data for this process's datasets."""
    # Ray Data puts rows together to blocks of this size; a block is what an actor gets at a time, and is one row here.
    context.target_max_block_size = context.target_min_block_size = 1
    context.execution_options.resource_limits = context.execution_options.resource_limits.copy(
        object_store_memory=_waiting(jobs)
    )
    context.execution_options.preserve_order = False
    context.enable_progress_bars = context.enable_operator_progress_bars = context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)


def _waiting(jobs: int) -> int:
    return _WAITING * (jobs + 1)


def _on_node(node: str) -> dict[str, str]:
    """Label selector for a node."""
    return {"ray.io/node-id": node}
