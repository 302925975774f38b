"""An executor whose callers never wait for a free thread."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_T = TypeVar("_T")
_P = ParamSpec("_P")


class SpareThreads(Executor):
    """Runs a job in a spare thread if one is free, else immediately in the calling thread.

    A caller that waits for a job waits for running work only, never for a queue. Callers on many threads therefore
    cannot block each other, and under load each keeps to its own thread.
    """

    def __init__(
        self,
        count: int,
        take: Callable[[], bool] | None = None,
        give_back: Callable[[], object] | None = None,
    ) -> None:
        """Threads start with the first jobs.

        Args:
            count: spare threads, 0 or more.
            take: reserves a thread for a job and returns True, or returns False if the caller must run the job
                itself. Must not block. Default: True while fewer than `count` jobs run.
            give_back: called at the end of every job for which `take` returned True. Give both or neither.
        """
        permits = threading.Semaphore(count)
        self._take = take or partial(permits.acquire, blocking=False)
        self._give_back = give_back or permits.release
        self._threads = ThreadPoolExecutor(max(count, 1), thread_name_prefix="facematch-spare")

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Run `fn` in a spare thread with a copy of the caller's context; without one, before this returns."""
        if self._take():
            try:
                future = self._threads.submit(partial(contextvars.copy_context().run, fn, *args, **kwargs))
            except BaseException:
                self._give_back()
                raise
            future.add_done_callback(lambda _: self._give_back())
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
