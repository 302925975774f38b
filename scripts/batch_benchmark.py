"""Throughput of `facematch batch` as a ratio to the floor: the same work called directly in as many processes.

The floor examines the same photos in plain loops, one process for each core, and compares each pair: no list, no
cache, no parts, no progress. In the same run and in turn stand the batch with processes (as the command runs it) and
with threads of one process. Every photo has its own content, so no result is used twice. Starting processes and
loading models does not count. Medians of the ratios within the rounds.

    python scripts/batch_benchmark.py [--pack standard] [--rows 100] [--jobs 2] [--rounds 3] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from benchmark import made_card, made_portrait

from facematch_local.batch.examining import Examined, Examiner, ExaminerSettings, Identity
from facematch_local.batch.job import Job, Pool, run
from facematch_local.batch.rows import Fault, Outcome
from facematch_local.batch.workers import Workers
from facematch_local.checks import Role
from facematch_local.cpu import available_cpus
from facematch_local.errors import FacematchError
from facematch_local.faces import cosine
from facematch_local.packs import DEFAULT_PACK, find_pack


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--pack", default=os.environ.get("FACEMATCH_PACK") or DEFAULT_PACK)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=available_cpus())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        settings = ExaminerSettings(str(find_pack(options.pack).folder))
        with tempfile.TemporaryDirectory(prefix="facematch-batch-") as folder:
            pairs = write_pairs(Path(folder), options.rows)
            seconds = measure(pairs, settings, options.jobs, options.rounds)
    except (FacematchError, OSError) as error:
        print(f"batch_benchmark: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    data = {
        "pack": options.pack,
        "rows": options.rows,
        "jobs": options.jobs,
        "cpus": available_cpus(),
        "rows_a_second": {name: options.rows / statistics.median(values) for name, values in seconds.items()},
        "throughput_in_floors": {
            name: statistics.median(floor / value for floor, value in zip(seconds["floor"], values, strict=True))
            for name, values in seconds.items()
        },
    }
    if options.json:
        print(json.dumps(data, indent=1))
        return
    print(f"pack {options.pack}, {options.rows} rows of two photos, {options.jobs} jobs, {options.rounds} rounds")
    for name, rate in data["rows_a_second"].items():
        print(f"{name:<10}{rate:7.2f} rows a second   {data['throughput_in_floors'][name]:5.2f} floors")


def write_pairs(folder: Path, rows: int) -> Path:
    """Photos and the list of their pairs."""
    card, portrait = made_card(), made_portrait()
    path = folder / "pairs.csv"
    with path.open("w", encoding="utf-8") as stream:
        stream.write("path1,path2\n")
        for row in range(rows):
            for name, photo in (("card", card), ("portrait", portrait)):
                (folder / f"{name}{row}.jpg").write_bytes(with_comment(photo, f"{row}"))
            stream.write(f"card{row}.jpg,portrait{row}.jpg\n")
    return path


def with_comment(jpeg: bytes, text: str) -> bytes:
    """The same photo with other bytes."""
    return jpeg[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2) + text.encode() + jpeg[2:]


def measure(pairs: Path, settings: ExaminerSettings, jobs: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of each contestant in each round, after one round that does not count."""
    seconds: dict[str, list[float]] = {"floor": [], "processes": [], "threads": []}
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        rows = sum(1 for _ in pairs.open(encoding="utf-8")) - 1
        shares = [range(start, rows, jobs) for start in range(jobs)]

        def floor(numbers: Sequence[range]) -> float:
            started = time.perf_counter()
            list(pool.map(compare_directly, [settings] * jobs, [str(pairs.parent)] * jobs, numbers))
            return time.perf_counter() - started

        # Tasks of one row each until all processes have loaded their models.
        floor([range(1)] * jobs)
        contestants: dict[str, Callable[[], float]] = {
            "floor": lambda: floor(shares),
            "processes": lambda: seconds_of(pairs, jobs, Workers(settings, jobs)),
            "threads": lambda: seconds_of(pairs, jobs, Threads(settings, jobs)),
        }
        for turn in range(rounds + 1):
            for name, contestant in contestants.items():
                value = contestant()
                if turn:
                    seconds[name].append(value)
    return seconds


_EXAMINERS: dict[ExaminerSettings, Examiner] = {}


def compare_directly(settings: ExaminerSettings, folder: str, rows: range) -> list[float]:
    """The floor's share of one process."""
    examiner = _EXAMINERS.get(settings) or _EXAMINERS.setdefault(settings, settings())
    values = []
    for row in rows:
        first = examiner.examine(Path(folder, f"card{row}.jpg").read_bytes(), Role.CARD)
        second = examiner.examine(Path(folder, f"portrait{row}.jpg").read_bytes(), Role.PORTRAIT)
        assert isinstance(first, Examined)
        assert isinstance(second, Examined)
        assert first.face
        assert second.face
        values.append(cosine(first.face, second.face))
    return values


class Threads:
    """Threads of this process that share one examiner."""

    def __init__(self, settings: ExaminerSettings, jobs: int) -> None:
        self._settings, self._threads = settings, ThreadPoolExecutor(jobs)

    def __enter__(self) -> Threads:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()

    def start(self) -> Identity:
        """Load the models."""
        self._examiner = self._settings()
        return self._examiner.identity

    async def examine(self, data: bytes, role: Role) -> Examined | Fault:
        """Examine in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._examiner.examine, data, role)


class Clock:
    """Starts when the work starts."""

    def begin(self, total: int, finished: int) -> None:
        """Start."""
        del total, finished
        self.started = time.perf_counter()

    def advance(self, outcome: Outcome) -> None:
        """Check that there is a result."""
        assert outcome.fault is None, outcome


def seconds_of(pairs: Path, jobs: int, pool: contextlib.AbstractContextManager[Pool]) -> float:
    """Seconds of a run from its first row to the last one, without the end of the processes."""
    clock, ended = Clock(), []

    @contextlib.contextmanager
    def timed() -> Iterator[Pool]:
        with pool as inner:
            warm_up(inner, jobs)
            yield inner
            ended.append(time.perf_counter())

    with tempfile.TemporaryDirectory(prefix="facematch-batch-") as folder:
        run(Job(pairs, Path(folder) / "out.csv", str(pairs.parent), jobs), timed(), clock)
    return ended[0] - clock.started


def warm_up(pool: Pool, jobs: int) -> None:
    """Let all processes load their models."""
    pool.start()
    photo = made_portrait()

    async def examine() -> None:
        await asyncio.gather(*(pool.examine(photo, Role.PORTRAIT) for _ in range(4 * jobs)))

    asyncio.run(examine())


if __name__ == "__main__":
    main()
