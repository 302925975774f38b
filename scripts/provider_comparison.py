"""Compares an execution provider with the CPU's: time, memory, and the percentages of pairs of photos.

    python scripts/provider_comparison.py openvino --pack standard --pairs ../shared/data/lfw_pairs.csv --limit 300

Both run in one process, call by call in turn, so that other work on the machine meets both alike. Compare ratios of CPU
time; wall time counts only on an idle machine. The package of ONNX Runtime is that of the environment: its version
changes the CPU's times too.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from facematch_local import FaceMatcher, FacematchError
from facematch_local.packs import SessionSettings
from facematch_local.providers import ProviderSettings, installed

DETECTION_SIZES = ((320, 256), (640, 480), (640, 640))


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians of one kind of call, in milliseconds.

    Attributes:
        cpu, provider: CPU time of the process.
        cpu_wall, provider_wall: time on the clock.
    """

    cpu: float
    provider: float
    cpu_wall: float
    provider_wall: float

    def line(self, name: str) -> str:
        """One row of the table."""
        return (
            f"{name:<28} {self.cpu:8.2f} {self.provider:8.2f}  {self.provider / self.cpu:6.2f}"
            f"   {self.cpu_wall:8.2f} {self.provider_wall:8.2f}  {self.provider_wall / self.cpu_wall:6.2f}"
        )


@dataclass(frozen=True, slots=True)
class Parity:
    """How far percentages differ.

    Attributes:
        pairs: compared pairs.
        largest: largest difference in percent.
        moved: pairs with a difference of 0.5 percent or more.
        flips: pairs with another verdict.
        warnings: pairs with other warnings.
    """

    pairs: int
    largest: float
    moved: int
    flips: int
    warnings: int


def paired(on_cpu: Callable[[], object], on_provider: Callable[[], object], rounds: int) -> Cost:
    """Time two calls in turn."""
    calls = {"cpu": on_cpu, "provider": on_provider}
    busy: dict[str, list[float]] = {name: [] for name in calls}
    wall: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for number in range(rounds):
        for name in sorted(calls, reverse=bool(number % 2)):
            began, clock = time.process_time(), time.perf_counter()
            calls[name]()
            busy[name].append(1000 * (time.process_time() - began))
            wall[name].append(1000 * (time.perf_counter() - clock))
    middle = {name: (statistics.median(busy[name]), statistics.median(wall[name])) for name in calls}
    return Cost(middle["cpu"][0], middle["provider"][0], middle["cpu"][1], middle["provider"][1])


def costs(on_cpu: FaceMatcher, on_provider: FaceMatcher, rounds: int, threads: int) -> Iterator[tuple[str, Cost]]:
    """Detector and recogniser alone, on one thread and on several."""
    rng = np.random.default_rng(1)
    matchers = (on_cpu, on_provider)
    with ThreadPoolExecutor(threads) as pool:
        for width, height in DETECTION_SIZES:
            pixels = rng.integers(0, 256, (height, width, 3), np.uint8)

            def detect(matcher: FaceMatcher, pixels: np.ndarray = pixels, size: object = (width, height)) -> None:
                matcher.pack.analyser.detector.detect(pixels, input_size=size, det_thresh=0.9)

            yield from _one_and_many(f"detection {width}x{height}", detect, matchers, rounds, pool, threads)
        side = on_cpu.pack.analyser.recogniser.input_size[0]
        crop = rng.integers(0, 256, (side, side, 3), np.uint8)
        embed = lambda matcher: matcher.pack.analyser.recogniser.get_feat([crop])  # noqa: E731
        yield from _one_and_many("recognition", embed, matchers, rounds, pool, threads)


def _one_and_many(
    name: str,
    work: Callable[[FaceMatcher], object],
    matchers: tuple[FaceMatcher, FaceMatcher],
    rounds: int,
    pool: ThreadPoolExecutor,
    threads: int,
) -> Iterator[tuple[str, Cost]]:
    alone = [lambda matcher=matcher: work(matcher) for matcher in matchers]
    together = [lambda matcher=matcher: list(pool.map(work, [matcher] * threads)) for matcher in matchers]
    yield name, paired(*alone, rounds)
    yield f"{name}, {threads} threads", paired(*together, rounds)


def parity(on_cpu: FaceMatcher, on_provider: FaceMatcher, pairs: list[tuple[Path, Path]], type1: str) -> Parity:
    """Compare the results for pairs of photos."""
    differences, flips, warnings = [0.0], 0, 0
    for first, second in pairs:
        photos = first.read_bytes(), second.read_bytes()
        expected, result = (matcher.match(*photos, type1) for matcher in (on_cpu, on_provider))
        differences.append(abs(result.percent - expected.percent))
        flips += result.verdict != expected.verdict
        warnings += result.warnings != expected.warnings
    moved = sum(difference >= 0.5 for difference in differences)
    return Parity(len(pairs), max(differences), moved, flips, warnings)


def read_pairs(path: Path, limit: int, seed: int) -> list[tuple[Path, Path]]:
    """Some pairs of a list with the columns path1 and path2, chosen at random."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = [(path.parent / row["path1"], path.parent / row["path2"]) for row in csv.DictReader(stream)]
    return random.Random(seed).sample(rows, min(limit, len(rows)))


def start(provider: str, pack: str) -> dict[str, float]:
    """Time and memory of a process that opens the pack and compares two photos (Linux)."""
    code = (
        "import resource, sys, time; from facematch_local import FaceMatcher; import numpy\n"
        "from facematch_local.packs import SessionSettings; from facematch_local.providers import ProviderSettings\n"
        "from insightface.data import get_image\n"
        "began = time.process_time(); clock = time.perf_counter()\n"
        "settings = SessionSettings(providers=ProviderSettings.parse(sys.argv[1]))\n"
        "matcher = FaceMatcher.open(sys.argv[2], sessions=settings)\n"
        "opened = time.process_time() - began; clock = time.perf_counter() - clock\n"
        "photo = numpy.ascontiguousarray(get_image('t1')); matcher.match(photo, photo, 'portrait')\n"
        "kilobytes = int(open('/proc/self/status').read().split('VmRSS:')[1].split()[0])\n"
        "print(opened, clock, kilobytes / 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, provider, pack], capture_output=True, text=True, check=True)  # noqa: S603
    seconds, clock, megabytes = map(float, done.stdout.split())
    return {"cpu_seconds": seconds, "seconds": clock, "megabytes": megabytes}


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("provider", help="openvino, cuda, ...")
    parser.add_argument("--pack", default="standard")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2, help="threads that share the models")
    parser.add_argument("--starts", type=int, default=3, help="starts of a process for time and memory; 0: none")
    parser.add_argument("--pairs", type=Path, help="CSV with the columns path1 and path2")
    parser.add_argument("--type1", default="portrait", choices=("card", "portrait"))
    parser.add_argument("--limit", type=int, default=300, help="number of pairs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    asked = ProviderSettings((options.provider,), concurrent_runs=options.threads)
    on_cpu = FaceMatcher.open(options.pack)
    on_provider = FaceMatcher.open(options.pack, sessions=SessionSettings(providers=asked))
    report: dict[str, object] = {"installed": installed().describe(), "pack": options.pack}
    print(f"{report['installed']}; pack {options.pack}; {on_provider.pack.execution.describe()}")
    print(f"{'':<28} {'CPU ms':>8} {'prov.':>8}  {'ratio':>6}   {'wall ms':>8} {'prov.':>8}  {'ratio':>6}")
    report["costs"] = {}
    for name, cost in costs(on_cpu, on_provider, options.rounds, options.threads):
        report["costs"][name] = asdict(cost)
        print(cost.line(name), flush=True)
    for name in ("cpu", options.provider) if options.starts else ():
        figures = [start(name, options.pack) for _ in range(options.starts)]
        report[f"start {name}"] = {key: statistics.median(each[key] for each in figures) for key in figures[0]}
        print(f"start on {name}: {report[f'start {name}']}", flush=True)
    if options.pairs:
        found = parity(on_cpu, on_provider, read_pairs(options.pairs, options.limit, options.seed), options.type1)
        report["parity"] = asdict(found)
        print(found)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    try:
        main()
    except FacematchError as error:
        sys.exit(f"provider_comparison: {error}")
