"""The signals that stop the service, with and without support of the event loop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def stop_signals() -> list[signal.Signals]:
    """Ctrl-C and `kill`; on Windows also Ctrl-Break, which a console sends to a process group."""
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


@contextmanager
def calls(loop: asyncio.AbstractEventLoop, on_signal: Callable[[], None]) -> Iterator[None]:
    """Call `on_signal` in the loop for every stop signal. Works in the main thread only."""
    with _on_loop(loop, on_signal) if _loop_takes_signals(loop) else _on_process(loop, on_signal):
        yield


def _loop_takes_signals(loop: asyncio.AbstractEventLoop) -> bool:
    # On Windows, event loops raise NotImplementedError.
    try:
        loop.add_signal_handler(signal.SIGTERM, lambda: None)
    except NotImplementedError:
        return False
    loop.remove_signal_handler(signal.SIGTERM)
    return True


@contextmanager
def _on_loop(loop: asyncio.AbstractEventLoop, on_signal: Callable[[], None]) -> Iterator[None]:
    numbers = stop_signals()
    for number in numbers:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


@contextmanager
def _on_process(loop: asyncio.AbstractEventLoop, on_signal: Callable[[], None]) -> Iterator[None]:
    def handler(_number: int, _frame: Any) -> None:
        loop.call_soon_threadsafe(on_signal)

    before = {number: signal.signal(number, handler) for number in stop_signals()}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
