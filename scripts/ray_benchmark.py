"""Throughput of `facematch batch --engine ray` on single-core nodes as a ratio to the same number of local processes.

Both engines work the same list off in turn, in several rounds. The nodes are node processes of one Ray cluster on this
machine with one CPU each; the first one is the head, and the command's own process runs beside it, as on a real
cluster. The first fifth of the rows does not count, so neither starting processes nor loading models counts; the end
of the run counts. Every photo has its own content. The median of the ratios within the rounds is the figure.

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
        with tempfile.TemporaryDirectory(prefix="facematch-ray-") as folder, nodes(options.nodes) as address:
            pairs = write_pairs(Path(folder), options.rows)
            rates = measure(pairs, settings, address, options)
    except (FacematchError, OSError) as error:
        print(f"ray_benchmark: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    ratios = [ray / local for local, ray in zip(rates["local"], rates["ray"], strict=True)]
    data = {
        "pack": options.pack,
        "rows": options.rows,
        "nodes": options.nodes,
        "carry_photos": options.carry_photos,
        "cpus": available_cpus(),
        "rows_a_second": {name: statistics.median(values) for name, values in rates.items()},
        "ratios": ratios,
        "ratio": statistics.median(ratios),
    }
    if options.json:
        print(json.dumps(data, indent=1))
        return
    print(f"pack {options.pack}, {options.rows} rows of two photos, {options.nodes} nodes, {options.rounds} rounds")
    for name, rate in data["rows_a_second"].items():
        print(f"{name:<8}{rate:8.2f} rows a second")
    print(f"ray / local {data['ratio']:.3f} (rounds: {', '.join(f'{ratio:.3f}' for ratio in ratios)})")


@contextlib.contextmanager
def nodes(count: int) -> Iterator[str]:
    """The address of a cluster of node processes with one CPU each."""
    # As the local processes: Ray would give its workers a lower priority than other programs of this machine.
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    from ray.cluster_utils import Cluster

    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 200_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    try:
        for _ in range(count - 1):
            cluster.add_node(**node)
        cluster.wait_for_nodes()
        yield cluster.address
    finally:
        cluster.shutdown()


@dataclass(slots=True)
class Timing:
    """Watches a run in which every row must have a result."""

    total: int = 0
    times: list[float] = field(default_factory=list)

    def begin(self, total: int, finished: int) -> None:
        """Take the number of rows."""
        self.total = total - finished

    def advance(self, outcome: Outcome) -> None:
        """Note the time of a result."""
        assert outcome.fault is None, outcome
        self.times.append(time.perf_counter())

    @property
    def rate(self) -> float:
        """Rows a second after the first ones."""
        first = int(self.total * NOT_COUNTED)
        return (self.total - 1 - first) / (self.times[-1] - self.times[first])


def measure(pairs: Path, settings: ExaminerSettings, address: str, options: Any) -> dict[str, list[float]]:
    """Rows a second of both engines in each round."""
    rates: dict[str, list[float]] = {"local": [], "ray": []}
    cluster = ClusterSettings(address, options.nodes, options.carry_photos)
    for _ in range(options.rounds):
        rates["local"].append(rate_of(pairs, options.nodes, LocalEngine(Workers(settings, options.nodes))))
        rates["ray"].append(rate_of(pairs, options.nodes, RayEngine(settings, cluster)))
    return rates


def rate_of(pairs: Path, jobs: int, engine: contextlib.AbstractContextManager[Engine]) -> float:
    """Rows a second of an engine."""
    timing = Timing()
    with tempfile.TemporaryDirectory(prefix="facematch-ray-") as folder:
        run(Job(pairs, Path(folder) / "out.csv", str(pairs.parent), jobs), engine, timing)
    return timing.rate


if __name__ == "__main__":
    main()
