"""Throughput of `facematch batch --engine ray` on single-core nodes as a ratio to the same number of local processes.

Both engines work the same list off in turn, in several rounds. The nodes are node processes of one Ray cluster on this
machine with one CPU each; the first one is the head, and the command's own process runs beside it, as on a real
cluster. The first fifth of the rows does not count, so neither starting processes nor loading models counts; the end
of the run counts. Every photo has its own content. The median of the ratios within the rounds is the figure. CPU time
is that of all processes, those of Ray's nodes included: it depends less on what else the machine does.

    python scripts/ray_benchmark.py [--pack standard] [--rows 200] [--nodes 2] [--rounds 3] [--carry-photos] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from batch_benchmark import write_pairs

from facematch_local.batch.cluster.engine import ClusterSettings, RayEngine
from facematch_local.batch.examining import ExaminerSettings
from facematch_local.batch.job import Engine, Job, run
from facematch_local.batch.local import LocalEngine
from facematch_local.batch.rows import Outcome
from facematch_local.batch.workers import Workers
from facematch_local.cpu import available_cpus
from facematch_local.errors import FacematchError
from facematch_local.packs import DEFAULT_PACK, find_pack

NOT_COUNTED = 0.2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--pack", default=os.environ.get("FACEMATCH_PACK") or DEFAULT_PACK)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--carry-photos", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        settings = ExaminerSettings(str(find_pack(options.pack).folder))
        with tempfile.TemporaryDirectory(prefix="facematch-ray-") as folder, nodes(options.nodes) as cluster:
            pairs = write_pairs(Path(folder), options.rows)
            spent = measure(pairs, settings, cluster, options)
    except (FacematchError, OSError) as error:
        print(f"ray_benchmark: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    ratios = [local.wall / ray.wall for local, ray in zip(spent["local"], spent["ray"], strict=True)]
    cpu_ratios = [ray.cpu / local.cpu for local, ray in zip(spent["local"], spent["ray"], strict=True)]
    data = {
        "pack": options.pack,
        "rows": options.rows,
        "nodes": options.nodes,
        "carry_photos": options.carry_photos,
        "cpus": available_cpus(),
        "rows_a_second": {name: 1 / statistics.median(one.wall for one in values) for name, values in spent.items()},
        "cpu_ms_a_row": {name: 1000 * statistics.median(one.cpu for one in values) for name, values in spent.items()},
        "ratios": ratios,
        "ratio": statistics.median(ratios),
        "cpu_ratio": statistics.median(cpu_ratios),
    }
    if options.json:
        print(json.dumps(data, indent=1))
        return
    print(f"pack {options.pack}, {options.rows} rows of two photos, {options.nodes} nodes, {options.rounds} rounds")
    for name, rate in data["rows_a_second"].items():
        print(f"{name:<8}{rate:8.2f} rows a second, {data['cpu_ms_a_row'][name]:.1f} ms of CPU time a row")
    print(f"throughput, ray / local {data['ratio']:.3f} (rounds: {', '.join(f'{ratio:.3f}' for ratio in ratios)})")
    print(f"CPU time, ray / local {data['cpu_ratio']:.3f}")


@contextlib.contextmanager
def nodes(count: int) -> Iterator[Any]:
    """A cluster of node processes with one CPU each."""
    # As the local processes: Ray would give its workers a lower priority than other programs of this machine.
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    from ray.cluster_utils import Cluster

    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 200_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    try:
        for _ in range(count - 1):
            cluster.add_node(**node)
        cluster.wait_for_nodes()
        yield cluster
    finally:
        cluster.shutdown()


def cpu_seconds(cluster: Any) -> dict[int, float]:
    """CPU time of this process, of the nodes, and of the children of both that run, by process."""
    processes = [infos for node in cluster.list_all_nodes() for infos in node.all_processes.values()]
    started = [info.process.pid for infos in processes for info in infos]
    seconds = {}
    for root in map(psutil.Process, (os.getpid(), *started)):
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                seconds[process.pid] = sum(process.cpu_times()[:2])
    return seconds


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds a row: on the clock, and of all CPUs."""

    wall: float
    cpu: float


@dataclass(slots=True)
class Timing:
    """Watches a run in which every row must have a result."""

    cluster: Any
    total: int = 0
    done: int = 0
    marks: list[tuple[float, dict[int, float]]] = field(default_factory=list)

    def begin(self, total: int, finished: int) -> None:
        """Take the number of rows."""
        self.total = total - finished

    def advance(self, outcome: Outcome) -> None:
        """Note the times when the first part, most, and all of the rows are done."""
        assert outcome.fault is None, outcome
        self.done += 1
        if self.done in (self.first, self.most, self.total):
            self.marks.append((time.perf_counter(), cpu_seconds(self.cluster)))

    @property
    def first(self) -> int:
        """Rows that do not count."""
        return int(self.total * NOT_COUNTED)

    @property
    def most(self) -> int:
        """Rows after which CPU time does not count: at the end, processes have left."""
        return self.total - self.first

    @property
    def cost(self) -> Cost:
        """Seconds a row after the first ones."""
        begin, most, end = self.marks
        cpu = sum(seconds - begin[1].get(process, 0.0) for process, seconds in most[1].items())
        return Cost((end[0] - begin[0]) / (self.total - self.first), cpu / (self.most - self.first))


def measure(pairs: Path, settings: ExaminerSettings, cluster: Any, options: Any) -> dict[str, list[Cost]]:
    """The cost of a row by both engines in each round."""
    spent: dict[str, list[Cost]] = {"local": [], "ray": []}
    on_ray = ClusterSettings(cluster.address, options.nodes, options.carry_photos)
    for _ in range(options.rounds):
        spent["local"].append(cost_of(pairs, options.nodes, LocalEngine(Workers(settings, options.nodes)), cluster))
        spent["ray"].append(cost_of(pairs, options.nodes, RayEngine(settings, on_ray), cluster))
    return spent


def cost_of(pairs: Path, jobs: int, engine: contextlib.AbstractContextManager[Engine], cluster: Any) -> Cost:
    """The cost of a row by an engine."""
    timing = Timing(cluster)
    with tempfile.TemporaryDirectory(prefix="facematch-ray-") as folder:
        run(Job(pairs, Path(folder) / "out.csv", str(pairs.parent), jobs), engine, timing)
    return timing.cost


if __name__ == "__main__":
    main()
