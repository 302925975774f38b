"""Threads for blocking work: bounded in number, with a bounded wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from facematch_server.access.fair_queue import FairQueue, Lane
from facematch_server.access.workers import Job, LateError, Workers
from facematch_server.errors import ServiceError


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Jobs wait for it; it opens at the latest when the test ends."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers("test", 1)
    yield workers
    workers.close()


def soon(seconds: float = 20) -> float:
    return time.monotonic() + seconds


def test_results_and_errors_come_out(workers: Workers) -> None:
    def fail() -> None:
        raise KeyError("x")

    def late() -> None:
        raise TimeoutError

    async def scenario() -> None:
        name = await workers.call(lambda: threading.current_thread().name, until=soon())
        assert name == "facematch-test-0"
        with pytest.raises(KeyError):
            await workers.call(fail, until=soon())
        with pytest.raises(TimeoutError):  # the job's own, not ours
            await workers.call(late, until=soon())

    asyncio.run(scenario())


def test_who_waits_too_long_goes_and_what_had_not_begun_never_does(workers: Workers, gate: threading.Event) -> None:
    begun: list[int] = []

    async def scenario() -> None:
        stuck = workers.submit(gate.wait)
        for number in range(20):
            with pytest.raises(LateError):
                await workers.call(begun.append, number, until=soon(0.01))
        assert workers.waiting == 0
        gate.set()
        await asyncio.wrap_future(stuck.future)
        await workers.call(begun.append, 99, until=soon())

    asyncio.run(scenario())
    assert begun == [99]


@pytest.mark.parametrize("how", ["late", "cancelled"])
def test_a_result_that_nobody_waits_for_is_undone(workers: Workers, gate: threading.Event, how: str) -> None:
    undone: list[tuple[str, str]] = []

    def take() -> str:
        gate.wait(20)
        return "place"

    def undo(result: str) -> None:
        undone.append((result, threading.current_thread().name))

    async def scenario() -> None:
        task = asyncio.create_task(workers.call(take, until=soon(0.1 if how == "late" else 20), undo=undo))
        await asyncio.sleep(0.05)
        if how == "cancelled":
            task.cancel()
        with pytest.raises(LateError if how == "late" else asyncio.CancelledError):
            await task
        gate.set()
        while not undone:
            await asyncio.sleep(0.01)

    asyncio.run(scenario())
    assert undone == [("place", "facematch-test-0")]


def test_a_full_queue_refuses_at_once(gate: threading.Event) -> None:
    queue: FairQueue[Job[Any]] = FairQueue(limit=2)
    workers = Workers("test", 1, queue)

    async def scenario() -> None:
        stuck = workers.submit(gate.wait)
        while workers.waiting:
            await asyncio.sleep(0.005)
        lane = Lane("a", "")
        waiting = [asyncio.wrap_future(workers.submit(int, lane=lane).future) for _ in range(2)]
        with pytest.raises(ServiceError) as refused:
            await workers.call(int, until=soon(), lane=lane)
        assert refused.value.status == 503
        # Another one is let in, and the newest of the many goes for it.
        other = asyncio.wrap_future(workers.submit(int, lane=Lane("b", "")).future)
        with pytest.raises(ServiceError):
            await waiting[1]
        gate.set()
        assert [await waiting[0], await other] == [0, 0]
        await asyncio.wrap_future(stuck.future)

    asyncio.run(scenario())
    workers.close()


def test_closing_refuses_what_waits_and_whatever_comes(gate: threading.Event) -> None:
    workers = Workers("test", 1)

    async def scenario() -> None:
        stuck = workers.submit(gate.wait)
        waiting = asyncio.wrap_future(workers.submit(int).future)
        while workers.waiting > 1:
            await asyncio.sleep(0.005)
        workers.close()
        for late in (waiting, asyncio.wrap_future(workers.submit(int).future)):
            with pytest.raises(ServiceError):
                await late
        gate.set()
        await asyncio.wrap_future(stuck.future)

    asyncio.run(scenario())
    for thread in workers._threads:
        thread.join(10)
        assert not thread.is_alive()
        assert thread.daemon
