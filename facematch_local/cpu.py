"""Number of CPUs available to this process.

`os.cpu_count()` returns the CPUs of the machine. In a container with a quota of two CPUs that leads to dozens of
threads that throttle each other. This module uses the affinity and the quota of the cgroup (v1 and v2) instead.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class CpuBudget:
    """Limits on the CPUs of this process.

    Attributes:
        machine: number of CPUs of the machine.
        affinity: number of CPUs on which the scheduler may run this process.
        quota: CPU time per period granted by the cgroup, in CPUs; None without a limit.
    """

    machine: int
    affinity: int
    quota: float | None = None

    @property
    def usable(self) -> int:
        """Useful number of threads, at least 1. A fraction of a CPU counts as one, so that it is not left idle."""
        return max(1, min(self.affinity, math.ceil(self.quota) if self.quota is not None else self.affinity))


def available_cpus() -> int:
    """Number of CPUs that this process may use by affinity and cgroup quota, at least 1."""
    return cpu_budget().usable


def cpu_budget() -> CpuBudget:
    """The limits of machine, affinity and cgroup for this process."""
    machine = os.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else machine
    return CpuBudget(machine, affinity, cgroup_quota())


def cgroup_quota(root: Path = Path("/")) -> float | None:
    """The lowest CPU quota of this process's cgroup and its ancestors, in CPUs; None without a quota.

    Args:
        root: folder in which `proc` and `sys` are mounted; another folder in tests.
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
        # In a container the path may be that of the host, with only the root mounted: the parents cover this case.
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
    except ValueError:  # "max", or the files do not exist
        return None
    return quota / period if quota > 0 and period > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError):
        return ""
