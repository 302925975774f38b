"""Threads, queue and deadline."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from facematch_local.spare_threads import SpareThreads
from facematch_server.errors import ServiceError
from facematch_server.matching.cores import Cores
from facematch_server.matching.thread_pool import InferencePool
from tests.facematch_server.matching.pool_steps import later, until


def test_a_job_runs_in_a_thread_of_the_pool() -> None:
    async def scenario() -> str:
        pool = InferencePool(Cores(1), threads=1, queue_size=0)
        with pool.slot() as slot:
            return await slot.run(lambda: threading.current_thread().name, later())

    assert asyncio.run(scenario()).startswith("facematch-match")


def test_one_too_many_is_turned_away_at_once(gate: threading.Event) -> None:
    async def scenario() -> None:
        pool = InferencePool(Cores(1), threads=1, queue_size=1)

        async def request() -> None:
            with pool.slot() as slot:
                await slot.run(gate.wait, later())

        inside = [asyncio.create_task(request()) for _ in range(2)]
        await until(lambda: pool.in_flight == 2)
        with pytest.raises(ServiceError) as caught:
            await request()
        assert caught.value.status == 503
        assert caught.value.retry_after
        gate.set()
        await asyncio.gather(*inside)
        assert pool.in_flight == 0
        await request()

    asyncio.run(scenario())


def test_a_job_that_waited_too_long_never_starts(gate: threading.Event) -> None:
    started = []

    async def scenario() -> None:
        pool = InferencePool(Cores(1), threads=1, queue_size=1)

        async def first() -> None:
            with pool.slot() as slot:
                await slot.run(gate.wait, later())

        running = asyncio.create_task(first())
        await until(lambda: pool.in_flight == 1)
        with pytest.raises(ServiceError) as caught, pool.slot() as slot:
            await slot.run(lambda: started.append(1), later(0.05))
        assert caught.value.status == 503
        assert pool.in_flight == 1
        gate.set()
        await running

    asyncio.run(scenario())
    assert not started


def test_a_cancelled_request_leaves_no_photos_in_the_queue(gate: threading.Event) -> None:
    async def scenario() -> None:
        pool = InferencePool(Cores(1), threads=1, queue_size=2)

        async def request() -> None:
            with pool.slot() as slot:
                await slot.run(gate.wait, later())

        tasks = [asyncio.create_task(request()) for _ in range(2)]
        await until(lambda: pool.queued == 1)
        tasks[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[1]
        assert pool.queued == 0
        gate.set()
        await tasks[0]

    asyncio.run(scenario())


def test_a_timeout_of_the_works_own_is_no_deadline() -> None:
    async def scenario() -> None:
        pool = InferencePool(Cores(1), threads=1, queue_size=0)

        def work() -> None:
            raise TimeoutError("its own")

        with pytest.raises(TimeoutError, match="its own"), pool.slot() as slot:
            await slot.run(work, later())

    asyncio.run(scenario())


def test_closing_answers_everybody(gate: threading.Event) -> None:
    """A queued request is refused at once, in every queue; a running one gets its outcome."""

    async def scenario() -> None:
        pool = InferencePool(Cores(1), threads=1, queue_size=3)

        async def request() -> bool:
            with pool.slot() as slot:
                return await slot.run(lambda: gate.wait(20), later())

        tasks = [asyncio.create_task(request()) for _ in range(3)]
        await until(lambda: pool.queued == 2 and pool._cores.busy == 1)
        pool.close(wait=False)
        refused, _ = await asyncio.wait(tasks[1:], timeout=5)
        assert [isinstance(task.exception(), ServiceError) for task in refused] == [True, True]
        with pytest.raises(ServiceError):
            await request()
        gate.set()
        assert await tasks[0]
        assert pool.in_flight == 0

    asyncio.run(scenario())


def test_keys_take_turns(gate: threading.Event) -> None:
    order: list[str] = []

    async def scenario() -> None:
        pool = InferencePool(Cores(1), threads=1, queue_size=9)

        async def request(key: str) -> None:
            with pool.slot(key) as slot:
                await slot.run(lambda: (order.append(key), gate.wait())[0], later())

        tasks = []
        for key in ("a", "a", "a", "a", "b", "b", "c"):
            tasks.append(asyncio.create_task(request(key)))
            await until(lambda: pool.in_flight == len(tasks))
            if len(tasks) == 1:
                await until(lambda: order == ["a"])
        gate.set()
        await asyncio.gather(*tasks)

    asyncio.run(scenario())
    assert order == ["a", "b", "c", "a", "b", "a", "a"]


def test_a_jobs_error_comes_out() -> None:
    async def scenario() -> None:
        pool = InferencePool(Cores(1), threads=1, queue_size=0)

        def work() -> None:
            raise KeyError("x")

        with pytest.raises(KeyError), pool.slot() as slot:
            await slot.run(work, later())
        assert pool.in_flight == 0

    asyncio.run(scenario())


def test_a_second_photo_runs_beside_the_first_only_on_an_idle_core() -> None:
    here = threading.current_thread().name
    cores = Cores(2)
    executor = SpareThreads(2, cores.take_if_idle, cores.give_back)
    name = lambda: threading.current_thread().name  # noqa: E731
    cores.take()
    assert executor.submit(name).result() != here
    while cores.busy > 1:  # given back by the thread, a moment after the result
        time.sleep(0.001)
    cores.take()
    assert executor.submit(name).result() == here
    assert cores.busy == 2
    executor.shutdown()


def test_a_photo_that_fails_beside_or_in_place() -> None:
    def fail() -> None:
        raise KeyError("x")

    for cores in (Cores(0), Cores(2)):
        executor = SpareThreads(2, cores.take_if_idle, cores.give_back)
        with pytest.raises(KeyError):
            executor.submit(fail).result()
        executor.shutdown()


def test_no_more_threads_compute_than_there_are_cores() -> None:
    """Four requests of two photos each on two cores: never more than two photos at once, all done."""
    cores = Cores(2)
    executor = SpareThreads(2, cores.take_if_idle, cores.give_back)
    lock = threading.Lock()
    computing = most = done = 0

    def photo() -> None:
        nonlocal computing, most, done
        with lock:
            computing += 1
            most = max(most, computing)
        time.sleep(0.01)
        with lock:
            computing -= 1
            done += 1

    def match() -> None:
        pending = executor.submit(photo)
        photo()
        pending.result()

    async def scenario() -> None:
        pool = InferencePool(cores, threads=2, queue_size=10)

        async def request() -> None:
            with pool.slot() as slot:
                await slot.run(match, later())

        await asyncio.gather(*(request() for _ in range(6)))

    asyncio.run(scenario())
    executor.shutdown()
    assert done == 12
    # One more for the moment in which a new request meets a second photo under way.
    assert most <= 3
