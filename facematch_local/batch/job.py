"""A whole run: a list of pairs to a result file, in parts that survive an interruption."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from facematch_local.batch import parquet
from facematch_local.batch.engine import Chunk, in_chunks, work_off
from facematch_local.batch.examinations import Examinations
from facematch_local.batch.examining import Examined, Identity
from facematch_local.batch.fetching import fetch
from facematch_local.batch.formats import FileFormat, format_of
from facematch_local.batch.locations import is_url, locate, redacted
from facematch_local.batch.parts import Parts, put, read_json, write_json
from facematch_local.batch.reading import read_pairs
from facematch_local.batch.rows import Fault, Outcome, Pair
from facematch_local.batch.run_record import counts_of, describe, refuse_change, run_record, with_counts
from facematch_local.batch.tally import Tally
from facematch_local.batch.writing import write_outcomes
from facematch_local.checks import Role
from facematch_local.errors import FacematchError
from facematch_local.imaging.photo import ImageLimits


@dataclass(frozen=True, slots=True)
class Job:
    """A run.

    Attributes:
        pairs: the list.
        out: the result.
        root: folder or URL that relative paths are relative to.
        jobs: processes.
        chunk: rows of a part.
        sample: number of rows to choose from the list, None for all.
        seed: of the choice.
        kept: examined photos to keep for rows to come.
        resume: go on with an interrupted run.
        fail_fast: end at the first row without a result.
    """

    pairs: Path
    out: Path
    root: str
    jobs: int
    chunk: int = 500
    sample: int | None = None
    seed: int = 0
    kept: int = 20_000
    resume: bool = False
    fail_fast: bool = False

    @property
    def parts(self) -> Parts:
        """The folder of finished chunks."""
        return Parts(self.out.with_name(self.out.name + ".parts"))

    @property
    def record(self) -> Path:
        """The file beside the result that states what it was made with."""
        return self.out.with_name(self.out.name + ".run.json")


class Pool(Protocol):
    """What a run needs of `Workers`."""

    def start(self) -> Identity:
        """Start, and state what results depend on."""
        ...

    async def examine(self, data: bytes, role: Role) -> Examined | Fault:
        """Examine an encoded photo."""
        ...


class Watcher(Protocol):
    """Is shown how a run goes on."""

    def begin(self, total: int, finished: int) -> None:
        """Called once: rows of the run, and those that an earlier run has finished."""
        ...

    def advance(self, outcome: Outcome) -> None:
        """Called with each outcome."""
        ...


@dataclass(frozen=True, slots=True)
class Summary:
    """A finished run.

    Attributes:
        tally: counts over all rows.
        record: what the result was made with, as in the file beside it.
        resumed: rows that an earlier run had finished.
    """

    tally: Tally
    record: Mapping[str, Any]
    resumed: int


def run(job: Job, pool: AbstractContextManager[Pool], watcher: Watcher) -> Summary:
    """Do a run.

    Args:
        job: the run.
        pool: examines photos; entered and left here.
        watcher: is shown the progress.

    Raises:
        FailedRowError: with `fail_fast`, a row has no result.
        FacematchError: the run cannot start, or cannot go on where the disk is full, for instance. Finished parts
            stay.
    """
    file_format = _check(job)
    try:
        with job.parts.locked():
            return _run(job, file_format, pool, watcher)
    except OSError as error:
        raise FacematchError(
            f"{job.out}: the run cannot go on ({error.strerror or type(error).__name__}); "
            "finished parts stay for --resume"
        ) from None


def _run(job: Job, file_format: FileFormat, pool: AbstractContextManager[Pool], watcher: Watcher) -> Summary:
    described = describe(job.pairs)
    total = described["rows"]
    chosen = _chosen(job, total)
    rows = total if chosen is None else len(chosen)
    sizes = [min(job.chunk, rows - start) for start in range(0, rows, job.chunk)]
    with pool as workers:
        identity = workers.start()
        record = run_record(described, {**identity.as_data(), **_settings(job)})
        parts = _prepared(job, record)
        if parts is None:
            tally = counts_of(job.record)
            return Summary(tally, record, tally.rows)
        finished = parts.finished() & set(range(len(sizes)))
        resumed = sum(sizes[number] for number in finished)
        watcher.begin(rows, resumed)
        chunks = in_chunks(_selected(read_pairs(job.pairs), chosen), job.chunk)
        work = (chunk for chunk in chunks if chunk.number not in finished)
        asyncio.run(_work_off(job, work, workers, identity, parts, watcher))
    tally = Tally()
    write_outcomes(parts.unfinished, file_format, _counted(parts.outcomes(sizes), tally))
    write_json(job.record, with_counts(record, tally))
    put(parts.unfinished, job.out)
    parts.remove()
    return Summary(tally, record, resumed)


async def _work_off(
    job: Job, chunks: Iterable[Chunk], workers: Pool, identity: Identity, parts: Parts, watcher: Watcher
) -> None:
    # Each process has a photo in work and one waiting; the others are on their way.
    slots = 3 * job.jobs + 2
    limit = ImageLimits().max_bytes
    threads = ThreadPoolExecutor(slots, thread_name_prefix="facematch-fetch")
    try:
        examinations = Examinations(
            partial(_fetch, job.root, limit), workers.examine, threads, slots=slots, kept=job.kept
        )

        def save(chunk: Chunk, outcomes: Iterable[Outcome]) -> None:
            parts.write(chunk.number, list(outcomes))

        await work_off(chunks, examinations, identity.calibration, save, watcher.advance, fail_fast=job.fail_fast)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _fetch(root: str, limit: int, path: str) -> bytes:
    return fetch(locate(path, root), limit)


def _check(job: Job) -> FileFormat:
    """Find what would stop the run at its end, before it starts."""
    file_format = format_of(job.out)
    if FileFormat.PARQUET in (file_format, format_of(job.pairs)):
        parquet.require()
    folder = job.out.absolute().parent
    if not folder.is_dir():
        raise FacematchError(f"{job.out}: the folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise FacematchError(f"{folder}: may not be written")
    if not job.resume and job.out.exists():
        raise FacematchError(f"{job.out}: exists; delete it or choose another name")
    if not job.resume and job.parts.folder.exists():
        raise FacematchError(f"{job.parts.folder}: an unfinished run; go on with --resume, or delete the folder")
    return file_format


def _settings(job: Job) -> dict[str, Any]:
    """Settings that the result depends on."""
    return {
        "root": redacted(job.root) if is_url(job.root) else os.path.abspath(job.root),
        "limits": asdict(ImageLimits()),
        "chunk": job.chunk,
        "sample": job.sample,
        "seed": None if job.sample is None else job.seed,
    }


def _prepared(job: Job, record: Mapping[str, Any]) -> Parts | None:
    """The parts of a new run or of one to go on with; None where the result is there already."""
    parts = job.parts
    earlier = parts.manifest()
    done = read_json(job.record) if job.out.exists() else None
    if done is not None:
        refuse_change(done, record, job.pairs, job.record)
        if parts.folder.exists():
            parts.remove()
        return None
    if job.out.exists():
        raise FacematchError(f"{job.out}: exists and is not a result of this command; choose another name")
    if earlier is None:
        parts.start(record)
    else:
        refuse_change(earlier, record, job.pairs, parts.folder)
    return parts


def _chosen(job: Job, total: int) -> frozenset[int] | None:
    """Numbers of the chosen rows, None for all."""
    if job.sample is None or job.sample >= total:
        return None
    return frozenset(random.Random(job.seed).sample(range(1, total + 1), job.sample))  # noqa: S311


def _selected(pairs: Iterable[Pair], chosen: Collection[int] | None) -> Iterator[Pair]:
    return (pair for pair in pairs if chosen is None or pair.number in chosen)


def _counted(outcomes: Iterable[Outcome], tally: Tally) -> Iterator[Outcome]:
    for outcome in outcomes:
        tally.add(outcome)
        yield outcome
