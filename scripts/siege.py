"""Siege: measures how attacks on the service affect an honest client.

    python scripts/siege.py [--seconds 60] [--attackers 8] [--pack NAME] [--tls] [--json]
    python scripts/siege.py --fuzz 10000 [--seed 1]

The script starts a service on 127.0.0.1 in a temporary folder with two API keys. The honest client compares two photos
with one key, one request after the other: first alone, then for the same time while attackers in another process use
the other key. They send slow photos, bodies of 27 MB, heads and bodies in small pieces, URLs of hostile image servers,
wrong logins, silent bodies and half-open connections, and never read replies. At the end the service gets SIGTERM while
under attack. With `--fuzz` the script sends mutated requests instead and checks every reply. Exit code 1 if a bound is
broken.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import multiprocessing
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "server"), str(ROOT)]

from sieging.attackers import Attacks, attack, whole_reply  # noqa: E402
from sieging.report import Measured, Siege, bounds, print_report, quantile  # noqa: E402
from sieging.service import SHUTDOWN_SECONDS, Address, MemoryWatch, formula_mib, running_service  # noqa: E402

from tests.hostile_requests import V2  # noqa: E402
from tests.mutated_requests import good_requests, mutated_request, outcome_of, wrong  # noqa: E402

BODY_SECONDS, DEADLINE_SECONDS = 15.0, 20.0  # the defaults of the service
MOST_SECONDS, MOST_ATTACKERS, MOST_FUZZ = 600, 64, 100_000


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        return fuzz(options, Path(folder)) if options.fuzz else siege(options, Path(folder))


def siege(options: argparse.Namespace, folder: Path) -> int:
    """Run the siege; return the exit code."""
    threads = options.threads
    # A short time limit for writing, so that a siege of one minute shows the end of clients that never read.
    chosen = {"THREADS": str(threads), "WRITE_SECONDS": "10"}
    with running_service(folder, options.pack, options.tls, **chosen) as service:
        photo = _photo()
        honest(service.honest, photo, 3)
        base = MemoryWatch(service.popen.pid).now()
        alone = honest(service.honest, photo, options.seconds)
        _tell(options, f"alone: p99 {alone.p99 * 1000:.0f} ms; now the siege, {options.seconds} s")
        context = multiprocessing.get_context("spawn")
        ready, ended, results = context.Event(), context.Event(), context.Queue()
        arguments = (service.hostile, options.attackers, options.seconds + 120.0, ready, ended, results)
        attackers = context.Process(target=attack, args=arguments, daemon=True)
        attackers.start()
        try:
            if not ready.wait(180):
                raise SystemExit("the attackers were not ready after 180 s")
            with MemoryWatch(service.popen.pid) as memory:
                besieged = honest(service.honest, photo, options.seconds)
            end_seconds = service.stop()  # while under attack
        finally:
            ended.set()
        attacks: Attacks = results.get(timeout=60)
        attackers.join(10)
        log = service.log.read_text("utf-8", "replace")
    outcome = Siege(
        alone=alone,
        besieged=besieged,
        attacks=attacks,
        bound_seconds=max(DEADLINE_SECONDS, BODY_SECONDS) + 1,
        base_mib=base,
        peak_mib=memory.peak,
        decoders_mib=memory.peak_decoders,
        formula_mib=formula_mib(base, threads),
        processes=memory.most_processes,
        end_seconds=end_seconds,
        end_bound=SHUTDOWN_SECONDS + 2.0,
        faults=log.count('"fault') + log.count("Traceback"),
        logged_seconds=max(map(float, re.findall(rf'"route": "{V2}".*?"ms": ([0-9.]+)', log)), default=0.0) / 1000,
    )
    if options.json:
        judged = [dataclasses.asdict(bound) for bound in bounds(outcome)]
        print(json.dumps({**dataclasses.asdict(outcome), "ratio": outcome.ratio, "bounds": judged}, indent=1))
    else:
        print_report(outcome)
    return 0 if all(bound.holds for bound in bounds(outcome)) else 1


def honest(target: Address, photo: bytes, seconds: float) -> Measured:
    """Compare two photos repeatedly, and measure the delay of the event loop in a second thread."""
    times: list[float] = []
    errors: Counter[str] = Counter()
    loop_times: list[float] = []
    ended = threading.Event()
    probe = threading.Thread(target=_probe, args=(target, loop_times, ended), daemon=True)
    probe.start()
    scheme = "http" if target.certificate is None else "https"
    url = f"{scheme}://localhost:{target.port}{V2}" if target.certificate else f"http://127.0.0.1:{target.port}{V2}"
    with requests.Session() as session:
        session.trust_env = False  # otherwise REQUESTS_CA_BUNDLE overrides `verify`
        session.auth, session.verify = target.auth, target.certificate or True
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            begun = time.monotonic()
            outcome = _compare(session, url, photo)
            times.append(time.monotonic() - begun)
            if outcome != "0":
                errors[outcome] += 1
    ended.set()
    probe.join(10)
    busy = errors.pop("HTTP 503", 0)
    shares = [quantile(times, share) for share in (0.5, 0.95, 0.99)]
    loop = (quantile(loop_times, 0.99), max(loop_times, default=0.0))
    return Measured(len(times), busy, dict(errors), *shares, max(times, default=0.0), *loop)


def _compare(session: requests.Session, url: str, photo: bytes) -> str:
    try:
        params = {"type1": "portrait", "format_type": "file"}
        response = session.post(url, params=params, files={"img1": photo, "img2": photo}, timeout=60)
    except requests.RequestException as error:
        return type(error).__name__
    return str(response.json()["errorCode"]) if response.status_code == 200 else f"HTTP {response.status_code}"


def _probe(target: Address, times: list[float], ended: threading.Event) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    while not ended.is_set():
        try:
            with target.connect(30) as sock:
                while not ended.wait(0.05):
                    begun = time.monotonic()
                    sock.sendall(request)
                    if not whole_reply(sock, begun + 30):
                        break
                    times.append(time.monotonic() - begun)
        except OSError:
            ended.wait(0.05)


def fuzz(options: argparse.Namespace, folder: Path) -> int:
    """Send mutated requests and check every reply; return the exit code."""
    # Short time limits, so that every request ends soon.
    patience = {"HEADER_SECONDS": "1", "BODY_SECONDS": "1", "KEEP_ALIVE_SECONDS": "1"}
    with running_service(folder, options.pack, options.tls, **patience) as service:
        target = service.hostile
        good = good_requests(target)
        outcomes: Counter[str] = Counter()
        bad: list[str] = []

        def one(number: int) -> None:
            source = random.Random(f"{options.seed}-{number}")
            request = mutated_request(source, good)
            with target.connect(10) as sock:
                half_close = target.certificate is None and source.random() < 0.95
                outcome = outcome_of(sock, request, half_close)
            outcomes[outcome] += 1
            if wrong(outcome):
                bad.append(f"request {number}: {outcome}: {request[:500]!r}")

        begun = time.monotonic()
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(one, range(options.fuzz)))
        seconds = time.monotonic() - begun
        alive = honest(service.honest, _photo(), 1)
        log = service.log.read_text("utf-8", "replace")
        faults = log.count('"fault') + log.count("Traceback")
    summary = {
        "requests": options.fuzz,
        "seed": options.seed,
        "seconds": round(seconds, 1),
        "outcomes": dict(outcomes.most_common()),
        "wrong": bad,
        "faults_in_log": faults,
        "served_afterwards": alive.requests > 0 and not alive.errors and not alive.busy,
    }
    if options.json:
        print(json.dumps(summary, indent=1))
    else:
        print(f"{options.fuzz} mutated requests (seed {options.seed}) in {seconds:.0f} s; outcomes:")
        for outcome, count in outcomes.most_common():
            print(f"  {count:6}  {outcome}")
        print(*(f"WRONG  {line}" for line in bad[:20]), sep="\n")
        print(f"{len(bad)} wrong, {faults} faults in the log, served afterwards: {summary['served_afterwards']}")
    return 0 if not bad and not faults and summary["served_afterwards"] else 1


def _photo() -> bytes:
    import skimage.data
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(skimage.data.astronaut()).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _tell(options: argparse.Namespace, line: str) -> None:
    if not options.json:
        print(line, flush=True)


def _options() -> argparse.Namespace:
    from facematch_local.cpu import available_cpus

    def number(least: int, most: int) -> Callable[[str], int]:
        def parse(text: str) -> int:
            value = int(text)
            if not least <= value <= most:
                raise argparse.ArgumentTypeError(f"from {least} to {most}")
            return value

        return parse

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seconds", type=number(1, MOST_SECONDS), default=60, help="duration of each of the two phases in seconds"
    )
    parser.add_argument(
        "--attackers",
        type=number(1, MOST_ATTACKERS),
        default=8,
        help="concurrent requests, besides 130 idle connections",
    )
    parser.add_argument("--pack", default="auto", help="model pack of the service")
    parser.add_argument("--threads", type=number(1, 256), default=available_cpus(), help="inference threads")
    parser.add_argument("--tls", action="store_true", help="use TLS (requires the openssl command)")
    parser.add_argument(
        "--fuzz", type=number(1, MOST_FUZZ), default=0, help="number of mutated requests to send instead"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the mutated requests")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
