"""CPU budget, on made-up `proc` and `sys` trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.cpu import CpuBudget, available_cpus, cgroup_quota, cpu_budget


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", "ascii")
    return root


V1 = {"cpu.cfs_quota_us": "250000", "cpu.cfs_period_us": "100000"}


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        pytest.param({}, None, id="no cgroups (macOS, Windows)"),
        pytest.param({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "max 100000"}, None, id="v2 unlimited"),
        pytest.param({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "150000 100000"}, 1.5, id="v2 container"),
        pytest.param(
            {"proc/self/cgroup": "0::/system.slice/facematch.service", "sys/fs/cgroup/system.slice/cpu.max": "400 100"},
            4.0,
            id="v2 limit on an ancestor",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "0::/a/b",
                "sys/fs/cgroup/a/cpu.max": "100000 100000",
                "sys/fs/cgroup/a/b/cpu.max": "300000 100000",
            },
            1.0,
            id="v2 tightest of the chain",
        ),
        pytest.param(
            {"proc/self/cgroup": "4:memory:/x\n3:cpu,cpuacct:/docker/abc\n"}
            | {f"sys/fs/cgroup/cpu,cpuacct/{name}": text for name, text in V1.items()},
            2.5,
            id="v1 container that sees the host's path",
        ),
        pytest.param(
            {"proc/self/cgroup": "1:cpu:/\n0::/"} | {f"sys/fs/cgroup/cpu/{name}": text for name, text in V1.items()},
            2.5,
            id="hybrid",
        ),
        pytest.param(
            {"proc/self/cgroup": "1:cpu:/", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1"}
            | {"sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"},
            None,
            id="v1 unlimited",
        ),
        pytest.param({"proc/self/cgroup": "nonsense", "sys/fs/cgroup/cpu.max": "zero one"}, None, id="nonsense"),
    ],
)
def test_cgroup_quota(tmp_path: Path, files: dict[str, str], quota: float | None) -> None:
    assert cgroup_quota(tree(tmp_path, files)) == quota


@pytest.mark.parametrize(
    ("budget", "usable"),
    [
        (CpuBudget(machine=64, affinity=64), 64),
        (CpuBudget(machine=64, affinity=4), 4),
        (CpuBudget(machine=64, affinity=64, quota=4.0), 4),
        (CpuBudget(machine=64, affinity=2, quota=4.0), 2),
        (CpuBudget(machine=64, affinity=64, quota=1.5), 2),
        (CpuBudget(machine=64, affinity=64, quota=0.1), 1),
    ],
)
def test_usable_follows_the_tightest_limit(budget: CpuBudget, usable: int) -> None:
    assert budget.usable == usable


def test_this_process_has_at_least_one_cpu() -> None:
    assert 1 <= available_cpus() <= cpu_budget().affinity <= cpu_budget().machine
