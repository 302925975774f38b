"""Whole runs on real clusters of several node processes: the rows of the local engine, whatever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from facematch_local.batch.parts import Parts
from tests.facematch_local.batch.test_job import expected

ROOT = Path(__file__).resolve().parents[4]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


class Nodes:
    """A cluster of node processes on this machine, with one CPU each; the first node is the head."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self.address: str = cluster.address
        self._others: list[Any] = []

    def add(self) -> None:
        """Add a node."""
        self._others.append(self._cluster.add_node(num_cpus=1, object_store_memory=150_000_000))
        self._cluster.wait_for_nodes()

    def logged(self) -> bytes:
        """All that Ray has written to its logs and other files."""
        folder = Path(self._cluster.head_node.get_session_dir_path())
        return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

    def processes(self) -> list[psutil.Process]:
        """All processes of the last node."""
        roots = [
            psutil.Process(info.process.pid) for infos in self._others[-1].all_processes.values() for info in infos
        ]
        return [process for root in roots for process in (*root.children(recursive=True), root)]

    def kill(self) -> int:
        """End all processes of the last node at once, as a power cut would; gives their number."""
        processes = self.processes()
        for process in processes:
            process.send_signal(signal.SIGKILL)
        assert not psutil.wait_procs(processes, timeout=30)[1]
        return len(processes)


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    # Clusters of a laptop's operating system have one node, unless this is set.
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "1")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 150_000_000}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    found = Nodes(cluster)
    found.add()
    yield found
    cluster.shutdown()


def start(pairs: Path, seconds: float, *options: str) -> subprocess.Popen[bytes]:
    command = ["-m", "tests.facematch_local.batch.driver", str(pairs), str(pairs.with_name("out.csv")), str(seconds)]
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *command, *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"begin")
    return process


def parts_of(pairs: Path) -> Parts:
    return Parts(pairs.with_name("out.csv.parts"))


def wait_for_parts(pairs: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    while len(parts_of(pairs).finished()) < count:
        assert process.poll() is None, "the run ended before it was disturbed"
        time.sleep(0.02)


def finish(process: subprocess.Popen[bytes]) -> None:
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said[-2000:]


@pytest.mark.parametrize("options", [(), ("carry",)])
def test_a_node_killed_in_mid_run_loses_and_doubles_nothing(
    nodes: Nodes, write_list: Callable[..., Path], tmp_path: Path, options: tuple[str, ...]
) -> None:
    pairs = write_list(400, 40)
    process = start(pairs, 0.02, nodes.address, *options)
    wait_for_parts(pairs, 5, process)
    assert nodes.kill() >= 3
    finish(process)
    assert (tmp_path / "out.csv").read_bytes() == expected(pairs, tmp_path / "plain.csv")
    assert not parts_of(pairs).folder.exists()
    logged = nodes.logged()
    assert b"MapWorker" in logged
    # Neither paths, which may be URLs with secrets, nor bytes of photos.
    assert b"photos/1.jpg" not in logged
    assert b"photo 1" not in logged


def test_an_actor_killed_in_mid_run(nodes: Nodes, write_list: Callable[..., Path], tmp_path: Path) -> None:
    pairs = write_list(400, 40)
    process = start(pairs, 0.02, nodes.address)
    wait_for_parts(pairs, 5, process)
    actors = [one for one in nodes.processes() if "ray::MapWorker" in " ".join(one.cmdline())]
    assert len(actors) == 1
    examiners = actors[0].children(recursive=True)
    actors[0].send_signal(signal.SIGKILL)
    # The process with the models ends with its actor.
    assert examiners
    assert not psutil.wait_procs(examiners, timeout=30)[1]
    finish(process)
    assert (tmp_path / "out.csv").read_bytes() == expected(pairs, tmp_path / "plain.csv")


def test_a_run_killed_on_a_cluster_goes_on_without_it(
    nodes: Nodes, write_list: Callable[..., Path], tmp_path: Path
) -> None:
    pairs = write_list(400, 40)
    process = start(pairs, 0.02, nodes.address)
    wait_for_parts(pairs, 5, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = parts_of(pairs).finished()
    assert 5 <= len(before) < 57
    finish(start(pairs, 0.0))
    assert (tmp_path / "out.csv").read_bytes() == expected(pairs, tmp_path / "plain.csv")


def test_a_cluster_of_this_machine_and_several_datasets_leave_nothing(
    write_list: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    pairs = write_list(150)  # with the driver's 20 tasks of 4 rows: 2 datasets
    folder = Path("/tmp") / f"fm{os.getpid()}"  # noqa: S108 (short: it holds Unix sockets)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    try:
        process = start(pairs, 0.0, "here")
        finish(process)
        assert not psutil.pid_exists(process.pid)
        assert list(folder.iterdir()) == []
    finally:
        folder.rmdir()
    assert (tmp_path / "out.csv").read_bytes() == expected(pairs, tmp_path / "plain.csv")
