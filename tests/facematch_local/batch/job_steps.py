"""Jobs in this process, and what a run without interruption gives."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from facematch_local.batch.examining import Examined, Identity, match_row
from facematch_local.batch.fetching import FetchError, fetch
from facematch_local.batch.formats import format_of
from facematch_local.batch.job import Job, Summary, run
from facematch_local.batch.local import LocalEngine
from facematch_local.batch.reading import read_pairs
from facematch_local.batch.rows import Fault, Outcome
from facematch_local.batch.writing import write_outcomes
from facematch_local.checks import Role
from tests.facematch_local.batch.stubs import IDENTITY, StubExaminer, StubSettings

ROOT = Path(__file__).resolve().parents[3]


class Inline:
    """Examines in the event loop; counts examinations, and fails at one of them if asked to."""

    def __init__(self, fail_at: int = 0, error: BaseException | None = None, pack: str = "stub 1") -> None:
        self.examined: Counter[tuple[bytes, Role]] = Counter()
        self._fail_at, self._error, self._pack = fail_at, error, pack

    def start(self) -> Identity:
        return replace(IDENTITY, pack=self._pack)

    async def examine(self, data: bytes, role: Role) -> Examined | Fault:
        self.examined[data, role] += 1
        if self._error is not None and self.examined.total() >= self._fail_at:
            raise self._error
        return StubExaminer(StubSettings()).examine(data, role)


class Watching:
    """Remembers what it was shown."""

    def __init__(self) -> None:
        self.total = self.finished = 0
        self.outcomes: list[Outcome] = []

    def begin(self, total: int, finished: int) -> None:
        self.total, self.finished = total, finished

    def advance(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


def job_of(pairs: Path, out: str = "out.csv", **settings: object) -> Job:
    job = Job(pairs, pairs.parent / out, root=str(pairs.parent), jobs=2, chunk=7)
    return replace(job, **settings)  # type: ignore[arg-type]


def do(job: Job, pool: Inline | None = None, watcher: Watching | None = None) -> Summary:
    return run(job, LocalEngine(contextlib.nullcontext(pool or Inline())), watcher or Watching())


def expected(pairs: Path, out: Path) -> bytes:
    """The result by the plain loop over the rows."""

    def examined(path: str, role: Role) -> Examined | Fault:
        try:
            return StubExaminer(StubSettings()).examine(fetch(str(pairs.parent / path), 1000), role)
        except FetchError as error:
            return error.fault

    outcomes = [match_row(pair, examined, IDENTITY.calibration) for pair in read_pairs(pairs)]
    write_outcomes(out, format_of(out), outcomes)
    return out.read_bytes()


DRIVER = ("-m", "tests.facematch_local.batch.driver")


def drive(pairs: Path, program: Sequence[str] = DRIVER) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603
        [sys.executable, *program, str(pairs), str(pairs.with_name("out.csv")), "0"], cwd=ROOT, capture_output=True
    )
