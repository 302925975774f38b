"""Memory of a service, of a second one beside it, and of a further worker (proportional set size)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from scripts.scaling.figures import MemoryFigures
from scripts.scaling.measuring.clients import Client, Sent
from scripts.scaling.measuring.conditions import ROOT
from scripts.scaling.measuring.service import service
from scripts.sieging.service import MemoryWatch

# After the start: until memory is level.
_SETTLING_SECONDS = 2.0
_REQUESTS = 40
_CLIENTS = 8


def memory_figures(pack: str, bodies: Sequence[bytes], cores: set[int]) -> tuple[MemoryFigures, float]:
    """The memory, and the seconds until the first service was ready."""
    with service(pack, cores) as first:
        time.sleep(_SETTLING_SECONDS)
        rest = MemoryWatch(first.pid).now()
        with service(pack, cores) as second:
            time.sleep(_SETTLING_SECONDS)
            both = MemoryWatch(first.pid).now() + MemoryWatch(second.pid).now()
        with MemoryWatch(first.pid) as watch:
            Client(first, bodies).closed(Sent(), _CLIENTS, _REQUESTS)
        load, seconds = watch.peak, first.start_seconds
    return MemoryFigures(round(rest, 1), round(load, 1), round(both - rest, 1), _further_worker(pack, cores)), seconds


def _further_worker(pack: str, cores: set[int]) -> float | None:
    if not _has_workers():
        return None
    taken = []
    for workers in (1, 2):
        with service(pack, cores, "", "--workers", str(workers)) as running:
            time.sleep(_SETTLING_SECONDS)
            taken.append(MemoryWatch(running.pid).now())
    return round(taken[1] - taken[0], 1)


def _has_workers() -> bool:
    command = [sys.executable, "-m", "facematch_server", "serve", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603
    return "--workers" in shown.stdout
