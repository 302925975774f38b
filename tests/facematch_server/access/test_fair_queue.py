"""Whose turn it is."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from facematch_server.access.fair_queue import FairQueue, Lane

LANES = st.builds(Lane, st.sampled_from("abc"), st.sampled_from("xyz"))


def order(queue: FairQueue[str]) -> list[str]:
    return list(queue.drain())


def test_groups_take_turns_and_so_do_their_lanes() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(4):
        queue.put(Lane("a", "x"), f"ax{number}")
    queue.put(Lane("a", "y"), "ay")
    queue.put(Lane("b", "x"), "b")
    assert order(queue) == ["ax0", "b", "ay", "ax1", "ax2", "ax3"]
    assert len(queue) == 0
    assert queue.pop() is None


def test_who_was_served_comes_after_who_was_not() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.put(Lane("a", ""), "a0")
    queue.put(Lane("a", ""), "a1")
    assert queue.pop() == "a0"
    queue.put(Lane("b", ""), "b0")
    assert order(queue) == ["b0", "a1"]


def test_a_full_lane_takes_no_more() -> None:
    queue: FairQueue[str] = FairQueue(limit=10, lane_limit=2)
    assert [queue.put(Lane("a", "x"), name) for name in ("1", "2", "3")] == [None, None, "3"]
    assert queue.put(Lane("a", "y"), "4") is None
    assert order(queue) == ["1", "4", "2"]


def test_in_a_full_queue_the_fullest_group_makes_room() -> None:
    queue: FairQueue[str] = FairQueue(limit=4)
    for number in range(4):
        assert queue.put(Lane("a", str(number % 2)), f"a{number}") is None
    assert queue.put(Lane("a", "0"), "a4") == "a4"
    assert queue.put(Lane("b", ""), "b0") == "a2"
    assert queue.put(Lane("b", ""), "b1") in ("a1", "a3")
    assert queue.put(Lane("b", ""), "b2") == "b2"  # each has its half
    assert queue.put(Lane("c", ""), "c0") is not None
    assert len(queue) == 4


def test_what_was_taken_out_is_not_there() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.put(Lane("a", "x"), "1")
    assert queue.remove(Lane("a", "x"), "1")
    assert not queue.remove(Lane("a", "x"), "1")
    assert queue.pop() is None


@given(st.lists(st.one_of(LANES, st.none()), max_size=60))
def test_nothing_is_lost_and_limits_hold(steps: list[Lane | None]) -> None:
    queue: FairQueue[int] = FairQueue(limit=5, lane_limit=3)
    inside: set[int] = set()
    for number, lane in enumerate(steps):
        if lane is None:
            popped = queue.pop()
            assert (popped is None) == (not inside)
            inside.discard(-1 if popped is None else popped)
            continue
        inside.add(number)
        gone = queue.put(lane, number)
        if gone is not None:
            inside.remove(gone)
        assert len(queue) == len(inside) <= 5
    assert set(queue.drain()) == inside


def test_many_threads() -> None:
    queue: FairQueue[int] = FairQueue()
    taken: list[int] = []

    def fill(start: int) -> None:
        for number in range(200):
            queue.put(Lane(str(start), str(number % 3)), start + number)
            if number % 2:
                item = queue.pop()
                assert item is not None
                taken.append(item)

    threads = [threading.Thread(target=fill, args=(1000 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted([*taken, *queue.drain()]) == sorted(1000 * n + i for n in range(4) for i in range(200))
