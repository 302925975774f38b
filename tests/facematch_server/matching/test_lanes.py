"""Which job starts when: computing slots, owners, and jobs that stand aside."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from facematch_server.errors import ServiceError
from facematch_server.matching.lanes import Job, Lanes


class Started:
    """Notes jobs instead of running them."""

    def __init__(self, threads: int) -> None:
        self.jobs: list[Job] = []
        self.lanes = Lanes(threads, self.jobs.append)

    def submit(self, owner: str, seconds: float = 30) -> Job:
        job = Job(lambda: None, time.monotonic() + seconds, owner, self.lanes)
        self.lanes.submit(job)
        return job

    @property
    def owners(self) -> str:
        return "".join(job.owner for job in self.jobs)


def test_no_more_start_than_there_are_slots() -> None:
    started = Started(2)
    for owner in "abc":
        started.submit(owner)
    assert started.owners == "ab"
    started.lanes.done(started.jobs[0])
    assert started.owners == "abc"
    assert started.lanes.started == 2


def test_the_owner_with_the_fewest_jobs_is_next() -> None:
    """Twenty jobs of one owner wait already; the job of another owner goes first."""
    started = Started(1)
    for _ in range(20):
        started.submit("s")
    started.submit("h")
    for _ in range(3):
        started.lanes.done(started.jobs[-1])
    assert started.owners == "shss"


def test_owners_take_turns() -> None:
    started = Started(1)
    for owner in "aaaabbc":
        started.submit(owner)
    for _ in range(6):
        started.lanes.done(started.jobs[-1])
    assert started.owners == "abcabaa"


def test_a_job_aside_makes_room_but_not_for_its_owner() -> None:
    started = Started(1)
    slow = started.submit("s")
    started.submit("s")
    with slow.aside():
        assert started.owners == "s"  # one owner never has more than half of both lanes
        started.submit("h")
        assert started.owners == "sh"
        started.submit("i")
        assert started.owners == "sh"  # one aside, one computes: all that is allowed
        started.lanes.done(started.jobs[1])
        assert started.owners == "shi"
        started.lanes.done(started.jobs[2])
    started.lanes.done(slow)
    assert started.owners == "shis"


def test_coming_back_waits_for_a_slot_and_comes_before_new_jobs() -> None:
    started = Started(1)
    slow = started.submit("s")
    with ThreadPoolExecutor(1) as threads:
        context = slow.aside()
        context.__enter__()
        other = started.submit("h")
        back = threads.submit(context.__exit__, None, None, None)
        time.sleep(0.1)
        assert not back.done()
        started.submit("i")
        started.lanes.done(other)
        back.result(5)
    assert started.owners == "sh"
    started.lanes.done(slow)
    assert started.owners == "shi"


def test_two_photos_aside_give_up_one_slot() -> None:
    started = Started(1)
    slow = started.submit("s")
    with slow.aside(), slow.aside():
        started.submit("h")
        started.submit("i")
        assert started.owners == "sh"
        started.lanes.done(started.jobs[1])
        started.lanes.done(started.jobs[2])
    assert started.lanes.started == 1
    started.lanes.done(slow)
    assert started.lanes.started == 0


def test_coming_back_ends_at_the_deadline() -> None:
    started = Started(1)
    slow = started.submit("s", seconds=0.1)
    with pytest.raises(ServiceError) as caught, slow.aside():
        other = started.submit("h")
    assert caught.value.status == 503
    started.lanes.done(slow)
    started.submit("i")
    assert started.owners == "sh"
    started.lanes.done(other)
    assert started.owners == "shi"


def test_cancelled_jobs_do_not_start() -> None:
    started = Started(1)
    first = started.submit("a")
    started.submit("b").future.cancel()
    started.submit("c")
    started.lanes.done(first)
    assert started.owners == "ac"


def test_closing_refuses_what_waits_and_what_comes_later() -> None:
    started = Started(1)
    first, second = started.submit("a"), started.submit("b")
    started.lanes.close()
    started.lanes.done(first)
    for job in (second, started.submit("c")):
        error = job.future.exception(0)
        assert isinstance(error, ServiceError)
        assert error.status == 503
    assert started.owners == "a"


def test_closing_lets_jobs_aside_come_back_at_once() -> None:
    started = Started(1)
    slow = started.submit("s")
    with ThreadPoolExecutor(1) as threads:
        context = slow.aside()
        context.__enter__()
        started.submit("h")
        back = threads.submit(context.__exit__, None, None, None)
        time.sleep(0.1)
        assert not back.done()
        started.lanes.close()
        back.result(5)


def test_a_thread_that_cannot_be_started_costs_one_job_and_no_place() -> None:
    jobs: list[Job] = []
    threads = [True, False, True]

    def start(job: Job) -> None:
        jobs.append(job)
        if not threads.pop(0):
            raise RuntimeError("can't start new thread")

    lanes = Lanes(1, start)
    first, refused, last = (Job(lambda: None, time.monotonic() + 30, owner, lanes) for owner in "abc")
    for job in (first, refused, last):
        lanes.submit(job)
    lanes.done(first)
    assert jobs == [first, refused, last]
    assert isinstance(refused.future.exception(0), ServiceError)
    assert lanes.started == 1
    # The executor may run it all the same, later.
    assert not lanes.begin(refused)
    lanes.done(refused)
    assert lanes.started == 1
    lanes.done(last)
    assert lanes.started == 0


def test_cancelling_takes_a_job_out_of_the_queue() -> None:
    started = Started(1)
    first, second = started.submit("a"), started.submit("b")
    assert second.cancel()
    assert started.lanes.queued == 0
    first.future.set_running_or_notify_cancel()
    assert not first.cancel()


def test_an_owner_leaves_one_slot_to_another_who_was_just_there() -> None:
    started = Started(3)
    started.lanes.done(started.submit("h"))
    for _ in range(3):
        started.submit("s")
    assert started.owners == "hss"
    started.submit("h")
    assert started.owners == "hssh"


def test_an_owner_who_is_alone_has_all_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    started = Started(2)
    started.lanes.done(started.submit("h"))
    monkeypatch.setattr("facematch_server.matching.lanes._ACTIVE_SECONDS", 0.0)
    for _ in range(2):
        started.submit("s")
    assert started.owners == "hss"


def test_the_only_slot_is_left_to_nobody() -> None:
    started = Started(1)
    started.lanes.done(started.submit("h"))
    started.submit("s")
    assert started.owners == "hs"


def test_a_job_that_comes_back_does_not_take_the_slot_that_is_left_to_another() -> None:
    started = Started(2)
    started.lanes.done(started.submit("h"))
    first = started.submit("s")
    with ThreadPoolExecutor(1) as threads:
        context = first.aside()
        context.__enter__()
        second = started.submit("s")
        back = threads.submit(context.__exit__, None, None, None)
        time.sleep(0.1)
        assert not back.done()
        started.submit("h")
        assert started.owners == "hssh"
        started.lanes.done(second)
        back.result(5)
    assert started.lanes.started == 2
