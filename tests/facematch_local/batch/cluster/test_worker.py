"""The actor without Ray: tasks with and without photos, examined in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from facematch_local import __version__
from facematch_local.batch.chunks import Selection
from facematch_local.batch.cluster.tasks import COLUMN, Task, in_tasks, packed, unpacked, with_photos
from facematch_local.batch.cluster.worker import RowWorker, WorkerSettings, node_state
from facematch_local.batch.examining import match_row
from facematch_local.batch.fetching import FetchError, fetch
from facematch_local.batch.reading import read_pairs
from facematch_local.batch.rows import Outcome, Pair, RowError
from facematch_local.checks import Role
from facematch_local.errors import FacematchError
from tests.facematch_local.batch.stubs import IDENTITY, StubExaminer, StubSettings

pytestmark = pytest.mark.slow  # each worker starts a process


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[RowWorker]:
    worker = RowWorker(WorkerSettings(StubSettings(tmp_path / "log"), str(tmp_path), 1000, IDENTITY))
    yield worker
    worker.close()


def expected(pairs: Path) -> list[Outcome]:
    def examined(path: str, role: Role) -> object:
        try:
            return StubExaminer(StubSettings()).examine(fetch(str(pairs.parent / path), 1000), role)
        except FetchError as error:
            return error.fault

    return [match_row(pair, examined, IDENTITY.calibration) for pair in read_pairs(pairs)]  # type: ignore[arg-type]


@pytest.mark.parametrize("carry", [False, True])
def test_tasks_are_the_plain_loop(worker: RowWorker, write_list: object, tmp_path: Path, carry: bool) -> None:
    pairs: Path = write_list(60)  # type: ignore[operator]
    wanted = expected(pairs)
    tasks = in_tasks(Selection(pairs, 30, 60).chunks(), 8)
    if carry:
        tasks = iter(list(with_photos(tasks, lambda path: fetch(str(tmp_path / path), 1000))))
        for photo in (tmp_path / "photos").iterdir():
            photo.unlink()
    rows = [worker({COLUMN: packed(task)}) for task in tasks]
    found = [outcome for row in rows for outcome in unpacked(row[COLUMN]).outcomes]
    assert found == wanted
    # Each photo once, although it occurs in several tasks.
    log = (tmp_path / "log").read_text().splitlines()
    assert len(log) == len(set(log)) == 12


def test_a_photo_that_ends_its_process_costs_one_row(worker: RowWorker, tmp_path: Path) -> None:
    for name in ("crash", "fine", "other"):
        (tmp_path / name).write_bytes(name.encode())
    pairs = (Pair(1, "1", "fine", "other"), Pair(2, "2", "fine", "crash"), Pair(3, "3", "other", "fine"))
    first, second, third = worker.work_off(Task(0, 0, 3, pairs)).outcomes
    assert first.fault is None
    assert third.fault is None
    assert second.fault is not None
    assert second.fault.code is RowError.CRASHED


def test_photos_are_forgotten_with_their_task(worker: RowWorker) -> None:
    row = (Pair(1, "1", "a", "b"),)
    carried = worker.work_off(Task(0, 0, 1, row, {"a": b"photo a", "b": b"photo b"}))
    assert carried.outcomes[0].fault is None
    absent = worker.work_off(Task(1, 0, 1, (Pair(2, "2", "c", "d"),)))
    assert absent.outcomes[0].fault is not None
    assert worker._carried == {}


def test_other_models_than_those_of_the_run_are_refused() -> None:
    with pytest.raises(FacematchError, match="another pack, calibration or policy"):
        RowWorker(WorkerSettings(StubSettings(), "", 10, replace(IDENTITY, pack_sha256="cc")))


def test_the_state_of_a_node() -> None:
    assert (node_state(StubSettings()).identity, node_state(StubSettings()).version) == (IDENTITY, __version__)
    broken = node_state(StubSettings(broken=True))
    assert (broken.identity, broken.problem) == (None, "the stub is broken")
