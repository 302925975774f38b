"""The executor that never makes its caller wait for a thread."""

from __future__ import annotations

import threading
from contextvars import ContextVar

import pytest

from facematch_local.spare_threads import SpareThreads


def here() -> int:
    return threading.get_ident()


def test_runs_beside_the_caller_while_a_thread_is_spare() -> None:
    assert SpareThreads(1).submit(here).result(5) != here()


def test_runs_in_the_caller_without_a_spare_thread() -> None:
    assert SpareThreads(0).submit(here).result(5) == here()


def test_runs_in_the_caller_when_all_are_busy_and_beside_it_again_afterwards() -> None:
    spare, release = SpareThreads(1), threading.Event()
    busy = spare.submit(release.wait, 5)
    assert spare.submit(here).result(0) == here()
    release.set()
    assert busy.result(5)
    # The thread is spare again once the job's callbacks have run.
    assert any(spare.submit(here).result(5) != here() for _ in range(1000))


@pytest.mark.parametrize("count", [0, 1])
def test_errors_come_with_the_result(count: int) -> None:
    spare = SpareThreads(count)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            spare.submit(lambda: 1 / 0).result(5)


def test_after_shutdown_jobs_are_refused() -> None:
    spare = SpareThreads(1)
    spare.shutdown()
    for _ in range(2):
        with pytest.raises(RuntimeError):
            spare.submit(here)


def test_a_spare_thread_works_in_the_callers_context() -> None:
    job: ContextVar[str] = ContextVar("job", default="none")
    executor = SpareThreads(1)
    job.set("this one")
    assert executor.submit(job.get).result() == "this one"
    executor.shutdown()
