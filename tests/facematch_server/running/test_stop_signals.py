"""Stop signals, with the event loop's own handlers and, as on Windows, without."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from facematch_server.running import stop_signals


async def signalled(number: signal.Signals) -> bool:
    loop = asyncio.get_running_loop()
    called = asyncio.Event()
    with stop_signals.calls(loop, called.set):
        signal.raise_signal(number)
        try:
            await asyncio.wait_for(called.wait(), 5)
        except TimeoutError:
            return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("loop_takes_signals", [True, False])
def test_a_signal_calls(number: signal.Signals, loop_takes_signals: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "win32" and loop_takes_signals:
        pytest.skip("no such loop here")
    if not loop_takes_signals:

        def refuse(*_: object) -> None:
            raise NotImplementedError  # as event loops do on Windows

        monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", refuse)
        monkeypatch.setattr(asyncio.SelectorEventLoop, "remove_signal_handler", refuse)
    # Shells start programs in the background with SIGINT ignored, which asyncio does not put back.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        before = {number: signal.getsignal(number) for number in stop_signals.stop_signals()}
        assert asyncio.run(signalled(number))
        assert {number: signal.getsignal(number) for number in stop_signals.stop_signals()} == before
    finally:
        signal.signal(signal.SIGINT, inherited)


def test_ctrl_break_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert signal.SIGINT in stop_signals.stop_signals()
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    assert stop_signals.stop_signals() == [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1]
