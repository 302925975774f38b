"""Metrics of several workers that add up: whichever worker is asked answers for all of them.

Counters and histograms lie in files that the workers map into memory (`prometheus_client`'s multiprocess mode, with
the number of the worker in the name), so a killed worker loses nothing, and its successor continues with them. Gauges
lie on a board in shared memory; each worker writes its own a few times a second.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector

_PUBLISH_SECONDS: Final = 0.25
_MOST_GAUGES: Final = 32
# A row has the process id, then how to combine and the value of each gauge.
_ROW: Final = 1 + 2 * _MOST_GAUGES


class Combine(IntEnum):
    """How the values of one gauge in several workers become one value.

    Attributes:
        SUM: their sum.
        MOST: the largest.
        COUNT: their sum, with those of ended workers: a gauge that only grows.
    """

    SUM = 1
    MOST = 2
    COUNT = 3


class Board:
    """Numbers in memory that the main process and its workers share; make it before they are forked.

    Single numbers are written and read at once, so no lock is needed: each number has one writer.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        # The last row but one keeps the counts of ended workers, the last one is the main process's.
        self._numbers = memoryview(mmap.mmap(-1, (workers + 2) * _ROW * 8)).cast("d")
        self._main = (workers + 1) * _ROW
        self._numbers[self._main] = os.getpid()

    @property
    def pids(self) -> list[int]:
        """The main process and the workers that live."""
        rows = (self._main, *(number * _ROW for number in range(self.workers)))
        return [int(self._numbers[row]) for row in rows if self._numbers[row]]

    @property
    def ended_cpu_seconds(self) -> float:
        """CPU time of the workers that have ended."""
        return self._numbers[self._main + 1]

    def begin(self, number: int) -> None:
        """Note that the calling process is this worker."""
        self._numbers[number * _ROW] = os.getpid()

    def put(self, number: int, gauge: int, how: Combine, value: float) -> None:
        """Write a gauge of a worker."""
        at = number * _ROW + 1 + 2 * gauge
        self._numbers[at], self._numbers[at + 1] = float(how), value

    def combined(self, gauge: int, how: Combine) -> float:
        """The value of a gauge over all workers."""
        at = [number * _ROW + 1 + 2 * gauge for number in range(self.workers + 1)]
        found = [self._numbers[one + 1] for one in at if self._numbers[one] == how]
        return max(found, default=0.0) if how is Combine.MOST else sum(found)

    def end(self, number: int, cpu_seconds: float) -> None:
        """Note, in the main process, that a worker has ended: keep its counts, forget the rest."""
        row, kept = number * _ROW, self.workers * _ROW
        for at in range(1, _ROW, 2):
            if self._numbers[row + at] == Combine.COUNT:
                self._numbers[kept + at] = Combine.COUNT
                self._numbers[kept + at + 1] += self._numbers[row + at + 1]
        self._numbers[row : row + _ROW] = memoryview(bytes(8 * _ROW)).cast("d")
        self._numbers[self._main + 1] += cpu_seconds


@dataclass(frozen=True, slots=True)
class _Watched:
    name: str
    text: str
    value: Callable[[], float]
    how: Combine


class SharedMetrics:
    """One worker's part of the metrics of all workers."""

    def __init__(self, board: Board, number: int, folder: Path) -> None:
        """Call it in the worker, before its counters are made.

        Args:
            board: the gauges of all workers.
            number: the number of this worker, from 0; its predecessor had the same.
            folder: the files of counters and histograms.
        """
        self._board = board
        self._number = number
        self._folder = folder
        self._watched: list[_Watched] = []
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]
        board.begin(number)

    def register(self, registry: CollectorRegistry) -> None:
        """Let a registry give the metrics of all workers."""
        MultiProcessCollector(registry, str(self._folder))  # type: ignore[no-untyped-call]
        registry.register(self)

    def watch(self, name: str, text: str, value: Callable[[], float], how: Combine) -> None:
        """Add a gauge."""
        if len(self._watched) >= _MOST_GAUGES:
            raise ValueError("the board has no room for another gauge")
        self._watched.append(_Watched(name, text, value, how))

    def publish(self) -> None:
        """Write this worker's gauges on the board."""
        for index, gauge in enumerate(self._watched):
            self._board.put(self._number, index, gauge.how, gauge.value())

    async def keep_publishing(self) -> None:
        """Publish again and again."""
        while True:
            self.publish()
            await asyncio.sleep(_PUBLISH_SECONDS)

    def collect(self) -> Iterable[Metric]:
        """The gauges of all workers, and the figures of their processes."""
        self.publish()
        for index, gauge in enumerate(self._watched):
            yield GaugeMetricFamily(gauge.name, gauge.text, self._board.combined(index, gauge.how))
        yield from _of_processes(self._board)


def new_folder() -> Path:
    """A folder for the files of counters and histograms, for this user only.

    Raises:
        OSError: the system's folder for temporary files cannot be written.
    """
    return Path(tempfile.mkdtemp(prefix="facematch-metrics-"))


def _of_processes(board: Board) -> Iterable[Metric]:
    combined: dict[str, tuple[Any, float]] = {}
    for pid in board.pids:
        with suppress(OSError):  # it has just ended
            for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                value = metric.samples[0].value
                before = combined.get(metric.name)
                if before is not None:
                    value = min(value, before[1]) if metric.name == "process_start_time_seconds" else value + before[1]
                combined[metric.name] = metric, value
    for name, (metric, value) in combined.items():
        total = value + board.ended_cpu_seconds if name == "process_cpu_seconds" else value
        metric.samples[:] = [metric.samples[0]._replace(value=total)]
        yield metric
