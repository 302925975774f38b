"""Where and when: the machine, the commit, the other programs' share of the cores."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path

import psutil

from facematch_local.cpu import available_cpus
from scripts.scaling.figures import Conditions

ROOT = Path(__file__).resolve().parents[3]


def conditions(rounds: int, load_before: float, others: float) -> Conditions:
    """The conditions of a measurement that ends now.

    Args:
        rounds: of each measurement.
        load_before: load average at its begin.
        others: cores that other programs kept busy meanwhile.
    """
    return Conditions(
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        commit=_commit(),
        cpu=_cpu(),
        cores=available_cpus(),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        python=platform.python_version(),
        rounds=rounds,
        load_before=round(load_before, 2),
        load_after=round(os.getloadavg()[0], 2),
        others=round(others, 2),
    )


def machine_busy_seconds() -> float:
    """CPU seconds of all programs since the machine started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def tree_cpu_seconds(pid: int) -> float:
    """CPU seconds of a process, its children that ended, and its running descendants."""
    total = 0.0
    process = psutil.Process(pid)
    for one in (process, *process.children(recursive=True)):
        try:
            total += sum(one.cpu_times()[:4])
        except psutil.Error:  # it ended meanwhile; its parent counts it
            continue
    return total


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or "unknown"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
