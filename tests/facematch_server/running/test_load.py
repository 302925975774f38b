"""Which workers have a free thread."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from facematch_server.running.load import PAUSE_SECONDS, SharedLoad


def test_a_worker_does_not_count_itself() -> None:
    load = SharedLoad(3)
    assert not load.another_is_free(0)  # none has started
    load.note(1, free=True)
    assert [load.another_is_free(number) for number in range(3)] == [True, False, True]
    load.note(2, free=True)
    assert load.another_is_free(1)
    load.note(1, free=False)
    load.note(2, free=False)
    assert not any(load.another_is_free(number) for number in range(3))


def test_only_a_busy_worker_waits_and_only_for_a_free_one() -> None:
    load = SharedLoad(2)
    assert load.pause(0, free=False) == 0.0  # all are busy: to wait would help nobody
    load.note(1, free=True)
    assert load.pause(0, free=False) == PAUSE_SECONDS
    assert load.pause(0, free=True) == 0.0
    assert load.pause(1, free=False) == 0.0


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_it_is_seen_in_other_processes() -> None:
    load = SharedLoad(2)
    pid = os.fork()
    if pid == 0:
        load.note(1, free=True)
        os._exit(0)
    os.waitpid(pid, 0)
    assert load.another_is_free(0)


def test_the_state_is_noted_again_and_again() -> None:
    load = SharedLoad(2)
    states = iter([True, False])

    async def run() -> list[bool]:
        task = asyncio.create_task(load.keep_noting(0, lambda: next(states)))
        await asyncio.sleep(0)
        seen = [load.another_is_free(1)]
        while load.another_is_free(1):
            await asyncio.sleep(0.01)
        task.cancel()
        return [*seen, load.another_is_free(1)]

    assert asyncio.run(asyncio.wait_for(run(), 20)) == [True, False]
