"""Runs a batch with stub examiners, resuming where there is a run.

`driver.py PAIRS OUT SECONDS [ADDRESS|here [carry]]`: in processes of this machine, or on the Ray cluster at
ADDRESS ("here": one of this machine).
"""

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
    opener = StubSettings(seconds=seconds)
    if len(sys.argv) > 4:
        address = None if sys.argv[4] == "here" else sys.argv[4]
        from facematch_local.batch.cluster.engine import ClusterSettings, RayEngine

        settings = ClusterSettings(address, carry_photos="carry" in sys.argv, segment=20 if address is None else 1000)
        run(job, RayEngine(opener, settings), Silent())
    else:
        run(job, LocalEngine(Workers(opener, 2)), Silent())


if __name__ == "__main__":
    main()
