"""What a start costs: the service until it is ready, and the command `facematch compare`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.benchmarking.photos import Pair
from scripts.benchmarking.samples import AbsentError
from scripts.benchmarking.web.services import our_service
from scripts.scaling.measuring.conditions import ROOT
from scripts.sieging.service import MemoryWatch

STAGES = ("decode", "detect", "embed", "checks")


def starts(pack: str, times: int) -> tuple[float, float]:
    """Start the service repeatedly: median seconds until it listens, and median memory then in MiB."""
    taken: list[tuple[float, float]] = []
    for _ in range(times):
        with our_service(pack) as running:
            taken.append((running.start_seconds, MemoryWatch(running.pid).now()))
    seconds, memory = (statistics.median(column) for column in zip(*taken, strict=True))
    return round(seconds, 2), round(memory, 1)


def compare_seconds(pack: str, pair: Pair, times: int, environment: Mapping[str, str]) -> float:
    """Median seconds of the command that compares two files, imports and models included.

    Raises:
        AbsentError: the command fails.
    """
    with tempfile.TemporaryDirectory(prefix="facematch-benchmark-") as name:
        files = [Path(name) / "card.jpg", Path(name) / "portrait.jpg"]
        for file, photo in zip(files, (pair.card, pair.portrait), strict=True):
            file.write_bytes(photo)
        command = [sys.executable, "-m", "facematch_server", "compare", *map(str, files), "--pack", pack]
        taken = [_seconds(command, environment) for _ in range(times + 1)]
    return round(statistics.median(taken[1:]), 2)


def stages(pack: str, pair: Pair, times: int) -> dict[str, float]:
    """Median milliseconds of a match by stage, summed over both photos."""
    from facematch_local.matcher import FaceMatcher

    matcher = FaceMatcher.open(pack)
    results = [matcher.match(pair.card, pair.portrait).timings for _ in range(times + 1)][1:]
    return {stage: round(1000.0 * statistics.median(one[stage] for one in results), 2) for stage in STAGES}


def _seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    begun = time.monotonic()
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode not in (0, 1):
        raise AbsentError(f"the command compare failed: {done.stderr.strip()[-200:]}")
    return time.monotonic() - begun
