"""Slots of the pool: given back, withdrawn in favour of others, kept by those that compute."""

from __future__ import annotations

import asyncio
import threading

import pytest

from facematch_server.errors import ServiceError
from facematch_server.matching.cores import Cores
from facematch_server.matching.thread_pool import InferencePool
from tests.facematch_server.matching.pool_steps import later, until


def test_a_job_that_runs_too_long_keeps_its_slot_until_it_ends(gate: threading.Event) -> None:
    async def scenario() -> None:
        pool = InferencePool(Cores(1), threads=1, queue_size=0)
        with pytest.raises(ServiceError), pool.slot() as slot:
            await slot.run(gate.wait, later(0.5))
        assert pool.in_flight == 1
        gate.set()
        await until(lambda: pool.in_flight == 0)

    asyncio.run(scenario())


def test_a_cancelled_request_gives_its_slot_back(gate: threading.Event) -> None:
    async def scenario() -> None:
        pool = InferencePool(Cores(1), threads=1, queue_size=0)

        async def request() -> None:
            with pool.slot():
                await asyncio.sleep(30)

        task = asyncio.create_task(request())
        await until(lambda: pool.in_flight == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert pool.in_flight == 0

    asyncio.run(scenario())


def test_slots_are_withdrawn_from_the_key_with_the_most(gate: threading.Event) -> None:
    """First a request that is received, then one that is queued, never one that runs; the slot is free at once."""

    async def scenario() -> None:
        pool = InferencePool(Cores(1), threads=1, queue_size=2)
        ended: list[str] = []

        async def request(name: str, key: str, sends: bool = False) -> None:
            try:
                with pool.slot(key) as slot:
                    if sends:
                        await asyncio.sleep(60)
                    await slot.run(gate.wait, later())
                    ended.append(name)
            except ServiceError as error:
                ended.append(f"{name} {error.status}")

        running = asyncio.create_task(request("running", "a"))
        await until(lambda: pool._cores.busy == 1 and pool.in_flight == 1)
        queued = asyncio.create_task(request("queued", "a"))
        sending = asyncio.create_task(request("sending", "a", sends=True))
        await until(lambda: pool.in_flight == 3)
        first = asyncio.create_task(request("first", "b"))
        await sending
        assert ended == ["sending 503"]
        assert pool.in_flight == 3
        second = asyncio.create_task(request("second", "c"))
        await queued
        assert ended[1:] == ["queued 503"]
        third = asyncio.create_task(request("third", "d"))
        await third
        assert ended[2:] == ["third 503"]  # one each: no slot is withdrawn
        gate.set()
        await asyncio.gather(running, first, second)
        assert pool.in_flight == 0
        # Nothing is left of the withdrawn request: its photos are in no queue.
        assert pool.queued == 0

    asyncio.run(scenario())


def test_who_computes_stays(gate: threading.Event) -> None:
    async def scenario() -> None:
        pool = InferencePool(Cores(2), threads=2, queue_size=0)

        async def request() -> str:
            with pool.slot("a") as slot:
                return await slot.run(lambda: "done" if gate.wait(20) else "", later())

        running = [asyncio.create_task(request()) for _ in range(2)]
        await until(lambda: pool.in_flight == 2 and pool._cores.busy == 2)  # begun, not only started
        with pytest.raises(ServiceError), pool.slot("b"):
            pass
        gate.set()
        assert await asyncio.gather(*running) == ["done", "done"]

    asyncio.run(scenario())


def test_a_cancelled_request_is_not_mistaken_for_one_that_gives_way(gate: threading.Event) -> None:
    async def scenario() -> None:
        pool = InferencePool(Cores(1), threads=1, queue_size=1)

        async def request(key: str) -> None:
            with pool.slot(key):
                await asyncio.sleep(60)

        tasks = [asyncio.create_task(request("a")) for _ in range(2)]
        await until(lambda: pool.in_flight == 2)
        tasks[1].cancel()  # by the server, at the very moment ...
        with pool.slot("b"):  # ... at which its slot is withdrawn
            with pytest.raises(asyncio.CancelledError):
                await tasks[1]
            assert pool.in_flight == 2
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert pool.in_flight == 0

    asyncio.run(scenario())


def test_who_is_taken_up_at_that_very_moment_stays(gate: threading.Event) -> None:
    """A thread may begin the job between choice and withdrawal: then another request loses its slot."""

    async def scenario() -> None:
        pool = InferencePool(Cores(1), threads=1, queue_size=2)

        async def request() -> str:
            with pool.slot("a") as slot:
                return await slot.run(lambda: "done" if gate.wait(20) else "", later())

        tasks = []
        for number in range(3):
            tasks.append(asyncio.create_task(request()))
            await until(lambda count=number: pool.in_flight == count + 1)
        await until(lambda: pool.waiting == 2 and pool._cores.busy == 1)
        _, second, third = list(pool._holders)
        assert third.job
        third.job.future.set_running_or_notify_cancel()
        assert not third.withdraw()
        with pool.slot("b"):
            assert pool.in_flight == 3
            assert second not in pool._holders
            third.job.future.set_result("done")
            gate.set()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(outcomes.pop(1), ServiceError)
        assert outcomes == ["done", "done"]

    asyncio.run(scenario())
