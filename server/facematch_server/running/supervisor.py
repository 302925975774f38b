"""The main process of several workers: forks them, replaces those that end or hang, passes stop signals on.

It runs no requests and has one thread, so that it can fork at any time.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from facematch_server.logs import LOGGER, log, log_fault
from facematch_server.running.link import MainEnd, WorkerEnd
from facematch_server.running.stop_signals import stop_signals

# Pauses before a worker takes the place of one that ended before it was ready: the first, and the longest.
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0
# Time that a worker has beyond the one that it takes to stop by itself.
_PATIENCE: Final = 1.0
# After a second signal.
_AT_ONCE_SECONDS: Final = 1.0
_TICK_SECONDS: Final = 0.2
# A worker whose event loop has not run for so long hangs. The loop says every second that it runs.
HANGING_SECONDS: Final = 30.0
# If the main process itself did not run for so long, the machine or the container was stopped, and the workers too.
_STOPPED_SECONDS: Final = 2.0


@dataclass(slots=True)
class _Worker:
    pid: int
    line: MainEnd
    ready: bool = False
    heard_at: float = 0.0


class Supervisor:
    """Runs workers until a stop signal, or until the first one cannot start."""

    def __init__(
        self,
        workers: int,
        work: Callable[[int, WorkerEnd], int],
        *,
        stop_seconds: float,
        all_ready: Callable[[], object],
        stopping: Callable[[], object],
        ended: Callable[[int, float], object],
        hanging_seconds: float = HANGING_SECONDS,
    ) -> None:
        """See `run`.

        Args:
            workers: how many.
            work: runs in a worker, with its number and its end of the line; returns the exit code.
            stop_seconds: how long a worker takes to stop at most.
            all_ready: called once, when all workers answer requests.
            stopping: called once, after the workers have been told to stop.
            ended: called with the number of a worker that has ended and the CPU seconds that it took.
            hanging_seconds: a worker that answers requests and is silent for so long is killed.
        """
        self._work = work
        self._stop_seconds = stop_seconds
        self._all_ready = all_ready
        self._stopping = stopping
        self._ended = ended
        self._wanted = workers
        self._workers: dict[int, _Worker] = {}
        # When to fork the worker of a number, and the pause before the next try.
        self._due: dict[int, float] = {0: 0.0}
        self._pauses: dict[int, float] = {}
        # Signals that have come, and those that have been passed on. The handler only counts: it may run anywhere.
        self._signals = 0
        self._obeyed = 0
        self._announced = False
        self._stopped = False
        self._kill_at = float("inf")
        self._hanging_seconds = hanging_seconds
        self._looked_at = time.monotonic()
        self._failed = False
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Run until the end of all workers.

        Returns:
            0 after a stop signal, 2 if a worker of the first start ended by itself.
        """
        woken, wake = socket.socketpair()
        for end in (woken, wake):
            end.setblocking(False)
        before = {number: signal.signal(number, self._on_signal) for number in stop_signals()}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._selector.register(woken, selectors.EVENT_READ)
        try:
            while self._workers or self._due:
                self._fork_due()
                for key, _ in self._selector.select(_TICK_SECONDS):
                    if key.fileobj is woken:
                        woken.recv(1024)
                    else:
                        self._hear(key.data)
                self._obey()
                self._bury()
                self._kill_hanging()
                self._kill_late()
            return 2 if self._failed else 0
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            woken.close()
            wake.close()

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._signals += 1

    def _obey(self) -> None:
        while self._obeyed < self._signals:
            self._obeyed += 1
            self._stop(_AT_ONCE_SECONDS if self._obeyed > 1 else self._stop_seconds + _PATIENCE)

    def _stop(self, seconds: float) -> None:
        for worker in self._workers.values():
            worker.line.stop()
        if not self._stopped:
            self._stopping()
        self._stopped = True
        self._kill_at = min(self._kill_at, time.monotonic() + seconds)
        self._due.clear()

    def _fork_due(self) -> None:
        if self._stopped:
            return
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            self._fork(number)

    def _fork(self, number: int) -> None:
        try:
            line = MainEnd()
        except OSError as error:
            self._try_later(number, f"could not be started ({error.strerror})")
            return
        # No signal between the fork and the worker's own handlers.
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals())
        try:
            pid = os.fork()
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
            line.become_main_end()
            line.close()
            self._try_later(number, f"could not be started ({error.strerror})")
            return
        if pid == 0:
            self._become_worker(number, line, masked)
        line.become_main_end()
        self._workers[number] = _Worker(pid, line)
        self._selector.register(line, selectors.EVENT_READ, number)
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)

    def _become_worker(self, number: int, line: MainEnd, masked: set[signal.Signals | int]) -> None:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for stop in stop_signals():
                signal.signal(stop, signal.SIG_IGN)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
            self._selector.close()
            # Otherwise the other workers would not notice the end of the main process.
            for other in self._workers.values():
                other.line.close()
            code = self._work(number, line.become_worker_end())
        except BaseException as error:
            log_fault("worker failed", error)
        finally:
            # Not through the main process's code above.
            os._exit(code)

    def _hear(self, number: int) -> None:
        worker = self._workers[number]
        heard = worker.line.hear()
        if not heard.open:
            self._selector.unregister(worker.line)  # it ends
            return
        worker.heard_at = time.monotonic()
        if heard.ready:
            self._note_ready(number, worker)

    def _note_ready(self, number: int, worker: _Worker) -> None:
        worker.ready = True
        self._pauses.pop(number, None)
        if self._stopped:  # the order to stop came while it was starting
            return
        if number == 0 and not self._announced:
            self._due |= {other: 0.0 for other in range(1, self._wanted) if other not in self._workers}
        if not self._announced and sum(one.ready for one in self._workers.values()) == self._wanted:
            self._announced = True
            self._all_ready()

    def _bury(self) -> None:
        # Any child: as the first process of a container, this one inherits what killed workers leave behind.
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            number = next((number for number, worker in self._workers.items() if worker.pid == pid), None)
            if number is None:
                continue
            worker = self._workers.pop(number)
            if worker.line in self._selector.get_map():
                self._selector.unregister(worker.line)
            worker.line.close()
            self._ended(number, usage.ru_utime + usage.ru_stime)
            if not self._stopped:
                self._replace(number, worker, os.waitstatus_to_exitcode(status))

    def _replace(self, number: int, worker: _Worker, code: int) -> None:
        if not worker.ready and not self._announced and code >= 0:
            # It has said why. The others have the same settings.
            self._failed = True
            self._stop(self._stop_seconds + _PATIENCE)
            return
        how = f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        self._try_later(number, how, paused=not worker.ready)

    def _try_later(self, number: int, what: str, *, paused: bool = True) -> None:
        pause = 0.0
        if paused:
            pause = self._pauses.get(number, _FIRST_PAUSE)
            self._pauses[number] = min(2 * pause, _LONGEST_PAUSE)
        LOGGER.warning("worker %d %s; another one takes its place in %.0f s", number, what, pause)
        self._due[number] = time.monotonic() + pause

    def _kill_hanging(self) -> None:
        """Kill workers whose event loop does not run. A worker that stops has its own limit (`_kill_late`)."""
        now = time.monotonic()
        everyone_stopped = now - self._looked_at > _STOPPED_SECONDS
        self._looked_at = now
        for number, worker in self._workers.items():
            if everyone_stopped:
                worker.heard_at = now
            if not worker.ready or self._stopped or now - worker.heard_at < self._hanging_seconds:
                continue
            LOGGER.warning("worker %d hangs: its event loop has not run for %.0f s", number, self._hanging_seconds)
            worker.heard_at = float("inf")  # once
            os.kill(worker.pid, signal.SIGKILL)

    def _kill_late(self) -> None:
        if time.monotonic() < self._kill_at:
            return
        for worker in self._workers.values():
            log("worker killed in the middle of work")
            os.kill(worker.pid, signal.SIGKILL)
        self._kill_at = time.monotonic() + _AT_ONCE_SECONDS
