"""Runs a batch with stub examiners in real processes: `driver.py PAIRS OUT SECONDS`, resuming where there is a run."""

from __future__ import annotations

import sys
from pathlib import Path

from facematch_local.batch.job import Job, run
from facematch_local.batch.local import LocalEngine
from facematch_local.batch.rows import Outcome
from facematch_local.batch.workers import Workers
from tests.facematch_local.batch.stubs import StubSettings


class Silent:
    """Watches nothing."""

    def begin(self, total: int, finished: int) -> None:
        """Say that the work starts."""
        sys.stdout.write(f"begin {total} {finished}\n")
        sys.stdout.flush()

    def advance(self, outcome: Outcome) -> None:
        """Nothing."""


def main() -> None:
    """Run."""
    pairs, out, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    job = Job(pairs, out, root=str(pairs.parent), jobs=2, chunk=7, kept=4, resume=True)
    run(job, LocalEngine(Workers(StubSettings(seconds=seconds), 2)), Silent())


if __name__ == "__main__":
    main()
