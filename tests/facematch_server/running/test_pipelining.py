"""Pipelined requests of all connections go on one at a time, in the order in which they asked."""

from __future__ import annotations

import asyncio

from facematch_server.running.pipelining import PACE_SECONDS, Turns


def test_one_at_a_time_in_order_at_the_pace() -> None:
    async def run() -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        turns = Turns()
        begun = loop.time()
        done: list[tuple[str, float]] = []
        for name in "abc":
            turns.ask(lambda name=name: done.append((name, loop.time() - begun)))  # type: ignore[misc]
        assert not done
        await asyncio.sleep(5 * PACE_SECONDS)
        turns.ask(lambda: done.append(("d", 0.0)))
        await asyncio.sleep(3 * PACE_SECONDS)
        return done

    done = asyncio.run(run())
    assert [name for name, _ in done] == ["a", "b", "c", "d"]
    # A loop's clock is coarse: a pace and a half apart at least for two.
    assert done[2][1] - done[0][1] > 1.5 * PACE_SECONDS


def test_one_that_asks_again_goes_to_the_end() -> None:
    async def run() -> str:
        turns = Turns()
        order: list[str] = []

        def again() -> None:
            order.append("a")
            if len(order) < 4:
                turns.ask(again)

        turns.ask(again)
        turns.ask(lambda: order.append("b"))
        await asyncio.sleep(8 * PACE_SECONDS)
        return "".join(order)

    assert asyncio.run(run()) == "abaa"
