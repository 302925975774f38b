"""Runs a way of comparing in a process of its own, so that no library's threads or memory disturb another's."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import psutil

from scripts.benchmarking.calls.ways import Call, Setting, call_of
from scripts.benchmarking.photos import Pair
from scripts.benchmarking.samples import AbsentError, Sample

_END_SECONDS = 10.0


class Caller:
    """A process that compares when told."""

    def __init__(self, process: BaseProcess, connection: Connection) -> None:
        self._process = process
        self._connection = connection

    def run(self, seconds: float, threads: int = 1) -> Sample:
        """Compare in a closed loop on `threads` threads; each ends with its comparison after `seconds`.

        Raises:
            AbsentError: a comparison failed.
        """
        self._connection.send((seconds, threads))
        return _answer(self._connection)

    def memory_mib(self) -> float:
        """Present memory of the process."""
        return float(psutil.Process(self._process.pid).memory_full_info().pss) / 2**20


@contextmanager
def caller(name: str, setting: Setting, pair: Pair) -> Iterator[Caller]:
    """Start the process; end it at the end.

    Raises:
        AbsentError: the software is not installed or does not work here.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, name, setting, pair.card, pair.portrait), daemon=True)
    process.start()
    theirs.close()
    try:
        _answer(ours)
        yield Caller(process, ours)
    finally:
        ours.close()
        process.join(_END_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


def closed_loop(call: Call, card: bytes, portrait: bytes, seconds: float, threads: int) -> Sample:
    """Compare again and again on several threads; at least once on each.

    Raises:
        AbsentError: a comparison failed.
    """
    times: list[float] = []
    faults: list[Exception] = []
    cpu, begun = time.process_time(), time.perf_counter()

    def loop() -> None:
        while not faults:
            started = time.perf_counter()
            try:
                call(card, portrait)
            except Exception as error:  # other software raises what it likes
                faults.append(error)
                return
            ended = time.perf_counter()
            times.append(ended - started)
            if ended >= begun + seconds:
                return

    workers = [threading.Thread(target=loop) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if faults:
        raise AbsentError(_reason(faults[0]))
    return Sample(tuple(times), time.perf_counter() - begun, time.process_time() - cpu)


def _answer(connection: Connection) -> Sample:
    try:
        answer = connection.recv()
    except EOFError:
        raise AbsentError("its process ended") from None
    if isinstance(answer, str):
        raise AbsentError(answer)
    assert isinstance(answer, Sample)
    return answer


def _work(connection: Connection, name: str, setting: Setting, card: bytes, portrait: bytes) -> None:
    try:
        call = call_of(name, setting)
        # The first call of some software loads its models.
        connection.send(closed_loop(call, card, portrait, 0.0, 1))
        while True:
            seconds, threads = connection.recv()
            connection.send(closed_loop(call, card, portrait, seconds, threads))
    except EOFError:  # told to end
        return
    except Exception as error:  # other software raises what it likes
        connection.send(_reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, AbsentError):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
