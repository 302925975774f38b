"""Processes that examine photos: their start, their end, and photos that end them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from facematch_local.batch.examining import Examined
from facematch_local.batch.rows import Fault, RowError
from facematch_local.batch.workers import Workers
from facematch_local.checks import Role
from facematch_local.errors import FacematchError, PackError
from tests.facematch_local.batch.stubs import IDENTITY, StubSettings, examined


def work(workers: Workers, photos: list[bytes]) -> list[Examined | Fault]:
    async def all_photos() -> list[Examined | Fault]:
        return await asyncio.gather(*(workers.examine(photo, Role.CARD) for photo in photos))

    with workers:
        assert workers.start() == IDENTITY
        return asyncio.run(all_photos())


def test_results_come_back(tmp_path: Path) -> None:
    photos = [b"photo %d" % number for number in range(20)]
    results = work(Workers(StubSettings(tmp_path / "log"), 2), photos)
    for photo, result in zip(photos, results, strict=True):
        assert isinstance(result, Examined)
        assert result.face is not None
        assert result.face.embedding is not None
        assert result.face.embedding.tobytes() == examined(photo).face.embedding.tobytes()  # type: ignore[union-attr]
    assert len((tmp_path / "log").read_text().splitlines()) == 20


@pytest.mark.slow
@pytest.mark.parametrize("ending", [(3,), (3, 4, 11)])
def test_photos_that_end_their_process_get_an_error_and_the_others_their_result(ending: tuple[int, ...]) -> None:
    # Larger than a pipe holds, so that writes are under way when a process ends.
    photos = [b"crash" + bytes(300_000) if n in ending else b"photo %d" % n + bytes(300_000) for n in range(12)]
    results = work(Workers(StubSettings(seconds=0.01), 2), photos)
    for photo, result in zip(photos, results, strict=True):
        if photo.startswith(b"crash"):
            assert isinstance(result, Fault)
            assert result.code is RowError.CRASHED
        else:
            assert isinstance(result, Examined)
            assert result.codes == examined(photo).codes


def test_a_pack_that_cannot_be_opened() -> None:
    with Workers(StubSettings(broken=True), 1) as workers, pytest.raises(PackError, match="the stub is broken"):
        workers.start()


@pytest.mark.slow
def test_processes_that_end_at_once() -> None:
    with Workers(_end, 1) as workers, pytest.raises(FacematchError, match="ends at its start"):
        workers.start()


def _end() -> object:
    import os

    os._exit(3)


def test_an_error_ends_the_processes_at_once() -> None:
    started = time.monotonic()

    async def examine(workers: Workers) -> None:
        await workers.examine(b"photo", Role.CARD)

    with contextlib.suppress(TimeoutError), Workers(StubSettings(seconds=300.0), 2) as workers:
        workers.start()
        asyncio.run(asyncio.wait_for(examine(workers), 0.2))
    assert time.monotonic() - started < 60
