"""How many CPUs this process may really use.

`os.cpu_count()` names the machine's CPUs. In a container with a quota of two that is the way to dozens of
threads that throttle each other, so affinity and the cgroup's quota (v1 and v2) are what counts here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class CpuBudget:
    """CPUs by source.

    Attributes:
        machine: CPUs of the machine.
        affinity: CPUs the scheduler may put this process on.
        quota: CPUs' worth of time per period that the cgroup grants, None without a limit.
    """

    machine: int
    affinity: int
    quota: float | None = None

    @property
    def usable(self) -> int:
        """Threads worth running, at least 1. Half a CPU counts as one: it would be idle otherwise."""
        return max(1, min(self.affinity, math.ceil(self.quota) if self.quota is not None else self.affinity))


def available_cpus() -> int:
    """CPUs this process may use by affinity and cgroup quota, at least 1."""
    return cpu_budget().usable


def cpu_budget() -> CpuBudget:
    """What machine, affinity and cgroup grant this process."""
    machine = os.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else machine
    return CpuBudget(machine, affinity, cgroup_quota())


def cgroup_quota(root: Path = Path("/")) -> float | None:
    """The tightest CPU quota of this process's cgroup and all above it, in CPUs; None without one.

    Args:
        root: where `proc` and `sys` are mounted; another folder in tests.
    """
    quotas = [quota for folder in _cpu_groups(root) if (quota := _quota(folder)) is not None]
    return min(quotas, default=None)


def _cpu_groups(root: Path) -> Iterator[Path]:
    """Folders of the process's CPU cgroup and its ancestors, v1 and v2 (both exist on hybrid systems)."""
    mount = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:  # v2; on hybrid systems it is mounted one level down
            hierarchies = [mount, mount / "unified"]
        elif "cpu" in controllers.split(","):
            hierarchies = [mount / controllers, mount / "cpu"]
        else:
            continue
        # In a container the path may be the host's, of which only the top is mounted: parents cover that.
        group = PurePosixPath("/") / path
        for hierarchy in hierarchies:
            for part in (group, *group.parents):
                yield hierarchy / part.relative_to("/")


def _quota(folder: Path) -> float | None:
    fields = _read(folder / "cpu.max").split()  # v2: "max 100000" or "150000 100000"
    if len(fields) != 2:
        fields = [_read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip()]
    try:
        quota, period = (int(field) for field in fields)
    except ValueError:  # "max", or no such files
        return None
    return quota / period if quota > 0 and period > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError):
        return ""
