"""Cost of decoding a valid photo in a separate process, compared with decoding in the calling thread.

Both run alternately in the same run, under the same load of the machine. The script prints the median and the minimum
in milliseconds, and the CPU time including the decoder's, which shows the cost on a machine with busy CPUs. It also
prints the memory of the processes, each with its share of the common memory.

    python scripts/decoding_cost.py [--rounds 40]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import psutil
from skimage import data

from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import ImageLimits
from facematch_server.decoding.opening import open_decoders
from facematch_server.matching.cores import Cores
from facematch_server.running.memory import keep_memory_level

SIZES = ((640, 480), (1280, 960), (1600, 1200), (2560, 1920), (4000, 3000))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    keep_memory_level()  # as the service does
    cv2.setNumThreads(1)
    limits = ImageLimits()
    pool = open_decoders(1, limits, Cores(1), 1)
    if pool is None:
        raise SystemExit("this system does not support decoding in separate processes")
    pool.wait_until_ready()
    server = psutil.Process(pool.server_pid)
    print(f"{'photo':<12}{'here':>16}{'process':>16}{'more':>8}   median (best), ms; CPU, median, ms")
    for width, height in SIZES:
        photo = jpeg(width, height)
        here: list[float] = []
        there: list[float] = []
        cpu_here: list[float] = []
        cpu_there: list[float] = []
        for _ in range(rounds):
            begun = cpu(server)
            here.append(timed(lambda photo=photo: decode(photo, limits).pixels[::64].sum()))
            between = cpu(server)
            there.append(timed(lambda photo=photo: pool.decode(photo).pixels[::64].sum()))
            cpu_here.append(between - begun)
            cpu_there.append(cpu(server) - between)
        more = statistics.median(there) - statistics.median(here)
        one, other = statistics.median(cpu_here), statistics.median(cpu_there)
        print(
            f"{width}x{height:<7}{spread(here)}{spread(there)}{more:8.2f}   best: {min(there) - min(here):.2f} more; "
            f"CPU {one:.2f} and {other:.2f}, {other - one:.2f} more"
        )
    for process in (server, *server.children()):
        kind = "fork server" if process == server else "decoder"
        memory = process.memory_full_info()
        print(f"{kind}: {memory.pss / 2**20:.0f} MB (of which unshared {memory.uss / 2**20:.0f} MB)")
    pool.close()


def cpu(server: psutil.Process) -> float:
    """CPU time of this process and the decoders in milliseconds."""
    times = [int(Path(f"/proc/{child.pid}/schedstat").read_text().split()[0]) for child in server.children()]
    return 1000 * time.process_time() + sum(times) / 1e6


def jpeg(width: int, height: int) -> bytes:
    """A JPEG of this size in pixels."""
    small = np.ascontiguousarray(data.astronaut()[:, :, ::-1])
    pixels = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def timed(work: Callable[[], object]) -> float:
    """Elapsed time of one call in milliseconds."""
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)


def spread(values: list[float]) -> str:
    """Median and minimum as text."""
    return f"{statistics.median(values):8.2f} ({min(values):5.2f})"


if __name__ == "__main__":
    main()
