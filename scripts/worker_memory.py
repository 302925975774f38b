"""Memory of the service by number of workers, and of one more worker.

For each number the script starts a service, sends the same pair of photos until every worker has computed, and adds up
the memory of all its processes (main process, workers, fork servers, decoders): PSS, in which a page that several
processes share counts once in all, and USS, the pages that no other process has. The last column is the PSS that each
further worker adds. `--separate` starts as many ordinary services instead, for comparison.

    python -m scripts.worker_memory [--pack standard] [--workers 1 2 3 4] [--separate]
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests
from PIL import Image
from skimage import data

from scripts.sieging.service import Service, running_service

PATH = "/api/v2/ekyc/face_matching?type1=portrait&format_type=file"
_MIB = 2**20


@dataclass(frozen=True)
class Memory:
    """Memory of some processes, in MiB."""

    pss: float
    uss: float

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.pss + other.pss, self.uss + other.uss)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", default="standard")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--separate", action="store_true", help="ordinary services instead of workers")
    parser.add_argument("--requests", type=int, default=8, help="requests for each worker")
    options = parser.parse_args()
    if sys.platform != "linux":
        raise SystemExit("shared memory is measured on Linux only")
    print(f"{'services' if options.separate else 'workers':>8}{'PSS, MiB':>10}{'USS, MiB':>10}{'one more':>10}")
    before: tuple[int, float] | None = None
    for number in options.workers:
        with running(options.pack, number, options.separate) as services:
            use(services, number * options.requests, number)
            found = memory(services)
        more = "" if before is None else f"{(found.pss - before[1]) / (number - before[0]):.0f}"
        print(f"{number:>8}{found.pss:>10.0f}{found.uss:>10.0f}{more:>10}", flush=True)
        before = number, found.pss


@contextmanager
def running(pack: str, number: int, separate: bool) -> Iterator[list[Service]]:
    """One service with so many workers, or so many services; each worker has one thread."""
    with ExitStack() as stack:
        services = []
        for _ in range(number if separate else 1):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            workers = 1 if separate else number
            settings = {"WORKERS": str(workers), "THREADS": str(workers)}
            services.append(stack.enter_context(running_service(folder, pack, False, **settings)))
        yield services


def use(services: Sequence[Service], times: int, at_once: int) -> None:
    """Send requests, `at_once` at the same time, each on a connection of its own."""
    photo = io.BytesIO()
    Image.fromarray(data.astronaut()).save(photo, "JPEG", quality=92)
    jpeg = photo.getvalue()

    def post(number: int) -> None:
        address = services[number % len(services)].honest
        url = f"http://127.0.0.1:{address.port}{PATH}"
        reply = requests.post(url, files={"img1": jpeg, "img2": jpeg}, auth=address.auth, timeout=120)
        assert reply.json()["errorCode"] == "0", reply.text

    with ThreadPoolExecutor(at_once) as threads:
        list(threads.map(post, range(times)))


def memory(services: Sequence[Service]) -> Memory:
    """Memory of all processes of the services."""
    total = Memory(0.0, 0.0)
    for service in services:
        main = psutil.Process(service.popen.pid)
        for process in [main, *main.children(recursive=True)]:
            info = process.memory_full_info()
            total += Memory(info.pss / _MIB, info.uss / _MIB)
    return total


if __name__ == "__main__":
    main()
