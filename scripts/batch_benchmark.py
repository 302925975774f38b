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
from dataclasses import dataclass
from pathlib import Path

import psutil
from benchmark import made_card, made_portrait

from facematch_local.batch.examining import Examined, Examiner, ExaminerSettings, Identity
from facematch_local.batch.job import Job, run
from facematch_local.batch.local import LocalEngine, Pool
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
            spent = measure(pairs, settings, options.jobs, options.rounds)
    except (FacematchError, OSError) as error:
        print(f"batch_benchmark: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    floors = spent["floor"]
    data = {
        "pack": options.pack,
        "rows": options.rows,
        "jobs": options.jobs,
        "cpus": available_cpus(),
        "contestants": {
            name: {
                "rows_a_second": options.rows / statistics.median(one.wall for one in values),
                "cpu_ms_a_row": 1000 * statistics.median(one.cpu for one in values) / options.rows,
                "throughput_in_floors": ratio([floor.wall for floor in floors], [one.wall for one in values]),
                "cpu_in_floors": ratio([one.cpu for one in values], [floor.cpu for floor in floors]),
            }
            for name, values in spent.items()
        },
    }
    if options.json:
        print(json.dumps(data, indent=1))
        return
    print(f"pack {options.pack}, {options.rows} rows of two photos, {options.jobs} jobs, {options.rounds} rounds")
    print("             rows/s   throughput in floors   CPU ms a row   CPU in floors")
    for name, one in data["contestants"].items():
        print(
            f"{name:<10}{one['rows_a_second']:9.2f}{one['throughput_in_floors']:23.2f}"
            f"{one['cpu_ms_a_row']:15.1f}{one['cpu_in_floors']:16.3f}"
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of a contestant in a round: on the clock, and of all CPUs."""

    wall: float
    cpu: float


@contextlib.contextmanager
def spending(spent: list[Spent]) -> Iterator[None]:
    """Add what the block takes."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    yield
    spent.append(Spent(time.perf_counter() - wall, cpu_seconds() - cpu))


def cpu_seconds() -> float:
    """CPU time of this process and its children that run."""
    me = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in (me, *me.children(recursive=True)))


def ratio(values: Sequence[float], to: Sequence[float]) -> float:
    """Median of the ratios within the rounds."""
    return statistics.median(value / other for value, other in zip(values, to, strict=True))


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


def measure(pairs: Path, settings: ExaminerSettings, jobs: int, rounds: int) -> dict[str, list[Spent]]:
    """What each contestant takes in each round, after one round that does not count."""
    spent: dict[str, list[Spent]] = {"floor": [], "processes": [], "threads": []}
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        rows = sum(1 for _ in pairs.open(encoding="utf-8")) - 1
        shares = [range(start, rows, jobs) for start in range(jobs)]

        def floor(numbers: Sequence[range], spent: list[Spent]) -> None:
            with spending(spent):
                list(pool.map(compare_directly, [settings] * jobs, [str(pairs.parent)] * jobs, numbers))

        # Tasks of one row each until all processes have loaded their models.
        floor([range(2)] * jobs, [])
        contestants: dict[str, Callable[[list[Spent]], None]] = {
            "floor": lambda spent: floor(shares, spent),
            "processes": lambda spent: run_batch(pairs, jobs, Workers(settings, jobs), spent),
            "threads": lambda spent: run_batch(pairs, jobs, Threads(settings, jobs), spent),
        }
        for turn in range(rounds + 1):
            for name, contestant in contestants.items():
                contestant(spent[name] if turn else [])
    return spent


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


class Strict:
    """Watches a run in which every row must have a result."""

    def begin(self, total: int, finished: int) -> None:
        """Nothing."""

    def advance(self, outcome: Outcome) -> None:
        """Check that there is a result."""
        assert outcome.fault is None, outcome


def run_batch(pairs: Path, jobs: int, pool: contextlib.AbstractContextManager[Pool], spent: list[Spent]) -> None:
    """A run, counted from the list to its last part."""

    @contextlib.contextmanager
    def ready() -> Iterator[Pool]:
        with pool as inner:
            warm_up(inner, jobs)
            with spending(spent):
                yield inner

    with tempfile.TemporaryDirectory(prefix="facematch-batch-") as folder:
        run(Job(pairs, Path(folder) / "out.csv", str(pairs.parent), jobs), LocalEngine(ready()), Strict())


def warm_up(pool: Pool, jobs: int) -> None:
    """Let all processes load their models."""
    pool.start()
    photo = made_portrait()

    async def examine() -> None:
        await asyncio.gather(*(pool.examine(photo, Role.PORTRAIT) for _ in range(4 * jobs)))

    asyncio.run(examine())


if __name__ == "__main__":
    main()
