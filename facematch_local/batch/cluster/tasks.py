"""What travels between the driver and the actors: some rows of a chunk, and their outcomes."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final

from facematch_local.batch.chunks import Chunk
from facematch_local.batch.fetching import FetchError
from facematch_local.batch.rows import Fault, Outcome, Pair
from facematch_local.brief_repr import BriefRepr

COLUMN: Final = "task"
"""The only column of the datasets: a pickled `Task` or `Done`."""

_THREADS: Final = 8


@dataclass(frozen=True, slots=True, repr=False)
class Task(BriefRepr):
    """Rows that an actor works off at a time.

    Attributes:
        chunk: number of their chunk.
        start: place of the first row in the chunk, from 0.
        size: rows of the chunk.
        pairs: the rows.
        photos: encoded photos by path, or why there are none; empty where actors read the photos.
    """

    chunk: int
    start: int
    size: int
    pairs: Sequence[Pair] = field(repr=False)  # URLs may have secrets
    photos: Mapping[str, bytes | Fault] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """Outcomes of a `Task`, in the order of its rows."""

    chunk: int
    start: int
    size: int
    outcomes: Sequence[Outcome]


def in_tasks(chunks: Iterable[Chunk], rows: int) -> Iterator[Task]:
    """Cut chunks into tasks of at most `rows` rows."""
    for chunk in chunks:
        for start in range(0, len(chunk.pairs), rows):
            yield Task(chunk.number, start, len(chunk.pairs), chunk.pairs[start : start + rows])


def with_photos(tasks: Iterable[Task], fetch: Callable[[str], bytes]) -> Iterator[Task]:
    """Add the photos; the next task's photos are read while the caller takes a task.

    Args:
        tasks: read one ahead.
        fetch: gives the bytes of a path or URL, or raises `FetchError`.
    """

    def photo(path: str) -> bytes | Fault:
        try:
            return fetch(path)
        except FetchError as error:
            return error.fault

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="facematch-fetch") as threads:

        def begin(task: Task) -> tuple[Task, list[str], Iterator[bytes | Fault]]:
            paths = {path: None for pair in task.pairs if pair.fault is None for path in (pair.path1, pair.path2)}
            return task, list(paths), threads.map(photo, paths)

        waiting = None
        for following in map(begin, tasks):
            if waiting is not None:
                yield _completed(*waiting)
            waiting = following
        if waiting is not None:
            yield _completed(*waiting)


def _completed(task: Task, paths: Sequence[str], photos: Iterator[bytes | Fault]) -> Task:
    return replace(task, photos=dict(zip(paths, photos, strict=True)))


def packed(value: Task | Done) -> bytes:
    """As a cell of a dataset."""
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def unpacked(cell: Any) -> Any:
    """What `packed` got; only for cells of the run's own cluster."""
    return pickle.loads(cell)  # noqa: S301
