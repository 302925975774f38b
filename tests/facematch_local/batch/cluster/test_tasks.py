"""Chunks cut into tasks, and the photos that travel with them."""

from __future__ import annotations

from collections import Counter

import pytest

from facematch_local.batch.chunks import Chunk
from facematch_local.batch.cluster.tasks import Done, Task, in_tasks, packed, unpacked, with_photos
from facematch_local.batch.fetching import FetchError
from facematch_local.batch.rows import Fault, Outcome, Pair, RowError


def pair(number: int, first: str = "a", second: str = "b", fault: Fault | None = None) -> Pair:
    return Pair(number, str(number), first, second, fault=fault)


def chunk(number: int, rows: int) -> Chunk:
    return Chunk(number, tuple(pair(row) for row in range(rows)))


@pytest.mark.parametrize("rows", [1, 3, 7, 8, 100])
def test_tasks_cover_each_row_once(rows: int) -> None:
    chunks = [chunk(0, 7), chunk(3, 7), chunk(4, 2)]
    tasks = list(in_tasks(chunks, rows))
    assert all(0 < len(task.pairs) <= rows for task in tasks)
    places = [(task.chunk, task.start + place) for task in tasks for place in range(len(task.pairs))]
    assert places == [(one.number, place) for one in chunks for place in range(len(one.pairs))]
    sizes = {one.number: len(one.pairs) for one in chunks}
    assert all(task.size == sizes[task.chunk] for task in tasks)


def test_photos_are_read_once_for_each_task_and_not_for_bad_rows() -> None:
    asked: Counter[str] = Counter()

    def fetch(path: str) -> bytes:
        asked[path] += 1
        if path == "absent":
            raise FetchError(RowError.MISSING_FILE, "the file does not exist")
        return path.encode()

    bad = pair(9, "bad", "bad", Fault(RowError.BAD_ROW, "bad"))
    tasks = [Task(0, 0, 3, (pair(1, "a", "b"), pair(2, "a", "absent"), bad)), Task(1, 0, 1, (pair(3, "c", "c"),))]
    first, second = with_photos(tasks, fetch)
    assert first.photos == {"a": b"a", "b": b"b", "absent": Fault(RowError.MISSING_FILE, "the file does not exist")}
    assert second.photos == {"c": b"c"}
    assert asked == {"a": 1, "b": 1, "absent": 1, "c": 1}


def test_photos_are_read_one_task_ahead_and_no_further() -> None:
    taken: list[int] = []

    def tasks() -> object:
        for number in range(10):
            taken.append(number)
            yield Task(number, 0, 1, (pair(number),))

    reading = with_photos(tasks(), lambda path: path.encode())  # type: ignore[arg-type]
    next(reading)
    assert taken == [0, 1]


def test_no_tasks() -> None:
    assert list(with_photos([], lambda path: b"")) == []


def test_cells_of_the_dataset() -> None:
    task = Task(1, 8, 500, (pair(1),), {"a": b"photo"})
    assert unpacked(packed(task)) == task
    done = Done(1, 8, 500, (Outcome("1", "a", "b", "card", 50.0, "unsure", (4,)),))
    assert unpacked(packed(done)) == done


def test_a_task_shows_neither_photos_nor_paths() -> None:
    shown = repr(Task(1, 0, 1, (pair(1, "s3://me:SECRET@host/a"),), {"a": b"PHOTO"}))
    assert "SECRET" not in shown
    assert "PHOTO" not in shown
