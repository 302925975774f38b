"""A whole run: a list of pairs to a result file, in parts that survive an interruption."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from facematch_local.batch import parquet
from facematch_local.batch.chunks import Selection
from facematch_local.batch.engine import Advance, Save
from facematch_local.batch.examining import Identity
from facematch_local.batch.formats import FileFormat, format_of
from facematch_local.batch.locations import is_url, redacted
from facematch_local.batch.parts import Parts, put, read_json, write_json
from facematch_local.batch.rows import Outcome
from facematch_local.batch.run_record import counts_of, describe, refuse_change, run_record, with_counts
from facematch_local.batch.tally import Tally
from facematch_local.batch.writing import write_outcomes
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


class Engine(Protocol):
    """Works off rows: on this machine (`LocalEngine`) or on a cluster (`RayEngine`)."""

    def start(self) -> Identity:
        """Start, and state what results depend on.

        Raises:
            FacematchError: it cannot start.
        """
        ...

    def work_off(self, job: Job, selection: Selection, identity: Identity, save: Save, advance: Advance) -> None:
        """Work off all rows of a selection.

        Args:
            job: the run.
            selection: its rows.
            identity: as `start` gave it.
            save: to be called once for each chunk.
            advance: to be called once for each row, in any order.

        Raises:
            FailedRowError: a row has no result, with `job.fail_fast`.
            FacematchError, OSError: the run cannot go on, or as `save` raises.
        """
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


def run(job: Job, engine: AbstractContextManager[Engine], watcher: Watcher) -> Summary:
    """Do a run.

    Args:
        job: the run.
        engine: works off the rows; entered and left here.
        watcher: is shown the progress.

    Raises:
        FailedRowError: with `fail_fast`, a row has no result.
        FacematchError: the run cannot start, or cannot go on where the disk is full, for instance. Finished parts
            stay.
    """
    file_format = _check(job)
    try:
        with job.parts.locked():
            return _run(job, file_format, engine, watcher)
    except OSError as error:
        raise FacematchError(
            f"{job.out}: the run cannot go on ({error.strerror or type(error).__name__}); "
            "finished parts stay for --resume"
        ) from None


def _run(job: Job, file_format: FileFormat, engine: AbstractContextManager[Engine], watcher: Watcher) -> Summary:
    described = describe(job.pairs)
    total = described["rows"]
    chosen = _chosen(job, total)
    rows = total if chosen is None else len(chosen)
    sizes = [min(job.chunk, rows - start) for start in range(0, rows, job.chunk)]
    with engine as started:
        identity = started.start()
        record = run_record(described, {**identity.as_data(), **_settings(job)})
        parts = _prepared(job, record)
        if parts is None:
            tally = counts_of(job.record)
            return Summary(tally, record, tally.rows)
        finished = parts.finished() & set(range(len(sizes)))
        resumed = sum(sizes[number] for number in finished)
        watcher.begin(rows, resumed)
        selection = Selection(job.pairs, job.chunk, rows, chosen, frozenset(finished))
        started.work_off(job, selection, identity, parts.write, watcher.advance)
    tally = Tally()
    write_outcomes(parts.unfinished, file_format, _counted(parts.outcomes(sizes), tally))
    write_json(job.record, with_counts(record, tally))
    put(parts.unfinished, job.out)
    parts.remove()
    return Summary(tally, record, resumed)


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


def _counted(outcomes: Iterable[Outcome], tally: Tally) -> Iterator[Outcome]:
    for outcome in outcomes:
        tally.add(outcome)
        yield outcome
