"""An executor whose callers never wait for a free thread."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

_T = TypeVar("_T")
_P = ParamSpec("_P")


class Permits(Protocol):
    """Grants the use of a spare thread, such as a semaphore or a count of busy CPUs."""

    def acquire(self, *, blocking: bool = True) -> bool: ...
    def release(self) -> None: ...


class SpareThreads(Executor):
    """Runs a job in a spare thread if one is free, else immediately in the calling thread.

    A caller therefore waits only for running work, never in a queue: callers in several threads cannot block each
    other, and under load each uses its own thread.
    """

    def __init__(self, count: int, permits: Permits | None = None) -> None:
        """Create the executor; its threads start on first use.

        Args:
            count: number of threads, 0 or more.
            permits: acquired before a thread is used; default a semaphore of `count`.
        """
        self._spare: Permits = permits or threading.Semaphore(count)
        self._threads = ThreadPoolExecutor(max(count, 1), thread_name_prefix="facematch-spare")

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Run `fn` in a spare thread with a copy of the context; without a spare thread, run it before returning."""
        if self._spare.acquire(blocking=False):
            try:
                future = self._threads.submit(partial(contextvars.copy_context().run, fn, *args, **kwargs))
            except BaseException:
                self._spare.release()
                raise
            future.add_done_callback(lambda _: self._spare.release())
            return future
        done: Future[_T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
