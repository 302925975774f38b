"""An executor that never makes its caller wait for a thread."""

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
    """Says whether a thread is spare; a semaphore, or one's own count of busy CPUs."""

    def acquire(self, *, blocking: bool = True) -> bool: ...
    def release(self) -> None: ...


class SpareThreads(Executor):
    """Runs a job beside the caller while a thread is spare, else at once in the calling thread.

    Whoever waits for a job therefore waits for running work only, never for a place in a queue: callers on
    many threads cannot block each other, and under load each keeps to its own thread.
    """

    def __init__(self, count: int, permits: Permits | None = None) -> None:
        """Keep spare threads, which start when first needed.

        Args:
            count: how many, 0 or more.
            permits: asked before a thread is used; default `count` of them, so that the threads are all there is.
        """
        self._spare: Permits = permits or threading.Semaphore(count)
        self._threads = ThreadPoolExecutor(max(count, 1), thread_name_prefix="facematch-spare")

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Run `fn` beside the caller, in a copy of its context, or, without a spare thread, before this returns."""
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
        """End the threads."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
