"""Cost of a comparison as a ratio to its lower bound.

The *floor* is the minimum work in ten lines: decode both JPEGs with OpenCV, detect at 640x640, align and embed with the
same weights through insightface, without checks and output. In the same run, alternating with it under the same load of
the machine, the script measures `FaceMatcher.match` and a complete HTTP request to a running `facematch serve`. It
reports medians. Prefer the ratios to the times, which depend on the machine and its load.

    python scripts/benchmark.py [--pack buffalo_sc] [--card card.jpg --portrait selfie.jpg] [--rounds 15] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facematch_local.cpu import cpu_budget
from facematch_local.errors import FacematchError
from facematch_local.imaging.decode import decode, encode_jpeg
from facematch_local.matcher import FaceMatcher
from facematch_local.packs import DEFAULT_PACK, ModelPack, find_pack

PATH = "/api/v2/ekyc/face_matching?type1=card&format_type=file"
STAGES = ("decode", "detect", "embed", "checks")


@dataclass(frozen=True, slots=True)
class Report:
    """Medians in milliseconds, and their conditions.

    Attributes:
        floor: the direct calls.
        match: `FaceMatcher.match` in this process.
        request: an HTTP request; None if it was not measured.
        stages: time by stage, summed over both photos, which run in parallel if a CPU is free.
        card, portrait: size of the photos as text.
        pack: name and version of the model pack.
        cpus: number of usable CPUs.
        rounds: number of measured rounds.
    """

    floor: float
    match: float
    request: float | None
    stages: dict[str, float]
    card: str
    portrait: str
    pack: str
    cpus: int
    rounds: int

    @property
    def checks_share(self) -> float:
        """Time of all checks divided by the time of detection and recognition."""
        return self.stages["checks"] / (self.stages["detect"] + self.stages["embed"])

    def data(self) -> dict[str, Any]:
        """The report as plain data for JSON."""
        return {
            "floor_ms": self.floor,
            "match_ms": self.match,
            "request_ms": self.request,
            "match_in_floors": self.match / self.floor,
            "request_in_floors": None if self.request is None else self.request / self.floor,
            "stages_ms": self.stages,
            "checks_over_detection_and_recognition": self.checks_share,
            "card": self.card,
            "portrait": self.portrait,
            "pack": self.pack,
            "cpus": self.cpus,
            "rounds": self.rounds,
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--pack", default=os.environ.get("FACEMATCH_PACK") or DEFAULT_PACK)
    parser.add_argument("--card", type=Path, help="JPEG of a card; default a synthetic one, 1600x1000")
    parser.add_argument("--portrait", type=Path, help="JPEG of a portrait; default a free one, 1200x1600")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--no-http", action="store_true", help="do not measure the service")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        pack = find_pack(options.pack)
        card = options.card.read_bytes() if options.card else made_card()
        portrait = options.portrait.read_bytes() if options.portrait else made_portrait()
        report = measure(pack, card, portrait, options.rounds, over_http=not options.no_http)
    except (FacematchError, OSError, RuntimeError) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    print(json.dumps(report.data(), indent=2) if options.json else as_text(report))


def measure(pack: ModelPack, card: bytes, portrait: bytes, rounds: int, *, over_http: bool) -> Report:
    """Run floor, match and request alternately, after one unmeasured round."""
    matcher = FaceMatcher.open(pack.folder)
    floor = floor_of(pack)
    times: dict[str, list[float]] = {"floor": [], "match": [], "request": []}
    stages: dict[str, list[float]] = {stage: [] for stage in STAGES}
    with service(pack) if over_http else nothing() as request:
        for turn in range(rounds + 1):
            floor_seconds = seconds(lambda: floor(card, portrait))
            started = time.perf_counter()
            result = matcher.match(card, portrait)
            match_seconds = time.perf_counter() - started
            request_seconds = seconds(lambda: request(card, portrait))
            if turn == 0:
                continue
            times["floor"].append(floor_seconds)
            times["match"].append(match_seconds)
            times["request"].append(request_seconds)
            for stage in STAGES:
                stages[stage].append(result.timings[stage])
    return Report(
        floor=milliseconds(times["floor"]),
        match=milliseconds(times["match"]),
        request=milliseconds(times["request"]) if over_http else None,
        stages={stage: milliseconds(values) for stage, values in stages.items()},
        card=describe(card),
        portrait=describe(portrait),
        pack=f"{pack.name} {pack.version}".strip(),
        cpus=cpu_budget().usable,
        rounds=rounds,
    )


def floor_of(pack: ModelPack) -> Callable[[bytes, bytes], float]:
    """The minimum work of a comparison: a function from two JPEGs to their cosine."""
    from insightface.model_zoo import get_model
    from insightface.utils.face_align import norm_crop

    # insightface calls a deprecated function of scikit-image for each face.
    warnings.filterwarnings("ignore", category=FutureWarning, module="insightface")
    detector = get_model(str(pack.files["detection"].path), providers=["CPUExecutionProvider"])
    recogniser = get_model(str(pack.files["recognition"].path), providers=["CPUExecutionProvider"])

    def embed(data: bytes) -> NDArray[np.float32]:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        boxes, landmarks = detector.detect(pixels, input_size=(640, 640))
        if not len(boxes):
            raise RuntimeError("the direct calls find no face in a photo; give photos with a face")
        largest = int(np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1).argmax())
        crop = norm_crop(pixels, landmarks[largest], image_size=recogniser.input_size[0])
        embedding: NDArray[np.float32] = recogniser.get_feat(crop)[0]
        return embedding / np.linalg.norm(embedding)

    return lambda card, portrait: float(embed(card) @ embed(portrait))


@contextmanager
def service(pack: ModelPack) -> Iterator[Callable[[bytes, bytes], object]]:
    """Start `facematch serve` with a temporary database; yield a function that sends one request."""
    import httpx

    with tempfile.TemporaryDirectory(prefix="facematch-benchmark-") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEMATCH_")}
        environment |= {"FACEMATCH_DATA_DIR": folder, "FACEMATCH_PACK": str(pack.folder), "FACEMATCH_PORT": str(port)}
        command = [sys.executable, "-m", "facematch_server"]
        key = json.loads(
            subprocess.run(  # noqa: S603
                [*command, "keys", "create", "--json"], env=environment, check=True, capture_output=True, text=True
            ).stdout
        )
        log = Path(folder) / "log"
        with log.open("wb") as stream:
            server = subprocess.Popen([*command, "serve"], env=environment, stdout=stream, stderr=stream)  # noqa: S603
        try:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", auth=(key["api_key"], key["api_secret"]), timeout=60
            ) as client:
                wait_until_ready(client, server, log)

                def request(card: bytes, portrait: bytes) -> object:
                    files = {"img1": ("card.jpg", card), "img2": ("portrait.jpg", portrait)}
                    reply = client.post(PATH, files=files).raise_for_status().json()
                    if reply["errorCode"] != "0":
                        raise RuntimeError(f"the service replied with errorCode {reply['errorCode']}")
                    return reply

                yield request
        finally:
            server.terminate()
            server.wait(30)


@contextmanager
def nothing() -> Iterator[Callable[[bytes, bytes], object]]:
    """Replacement for `service` that does nothing."""
    yield lambda _card, _portrait: None


def wait_until_ready(client: Any, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until `/readyz` replies with 200.

    Raises:
        RuntimeError: the service stopped, or is not ready after a minute.
    """
    import httpx

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the service did not start: {log.read_text('utf-8', 'replace').strip()}")
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the service is not ready after a minute")


def made_portrait() -> bytes:
    """A free portrait (NASA, public domain) scaled to the size of a phone's selfie, as JPEG."""
    portrait = astronaut()[:448, 64:400]
    return encode_jpeg(cv2.resize(portrait, (1200, 1600), interpolation=cv2.INTER_CUBIC).astype(np.uint8))


def made_card() -> bytes:
    """A synthetic card, 1600x1000, as JPEG: the portrait at the left, lines of text beside it."""
    card = np.full((1000, 1600, 3), (205, 220, 210), np.uint8)
    card[250:800, 90:540] = cv2.resize(astronaut()[10:230, 130:310], (450, 550), interpolation=cv2.INTER_AREA)
    for row in range(8):
        cv2.putText(card, "SPECIMEN 0123456789", (600, 300 + 70 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (60, 50, 50), 3)
    return encode_jpeg(card)


def astronaut() -> NDArray[np.uint8]:
    """The astronaut photo of scikit-image: 512x512x3 uint8 BGR."""
    import skimage.data

    photo: NDArray[np.uint8] = skimage.data.astronaut()[:, :, ::-1]
    return photo


def seconds(work: Callable[[], object]) -> float:
    """Elapsed time of one call in seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def milliseconds(values: list[float]) -> float:
    """Median of times in seconds, in milliseconds."""
    return round(1000 * statistics.median(values), 2)


def describe(photo: bytes) -> str:
    """Size of a JPEG as text."""
    decoded = decode(photo)
    return f"{decoded.width}x{decoded.height}, {len(photo) // 1024} KiB"


def as_text(report: Report) -> str:
    """The report as text."""
    lines = [
        f"pack {report.pack}, {report.cpus} CPUs, {report.rounds} rounds, medians",
        f"card {report.card}; portrait {report.portrait}",
        "",
        f"floor    {report.floor:8.1f} ms   1.00 floors   decode, detect at 640, align, embed: called directly",
        f"match    {report.match:8.1f} ms   {report.match / report.floor:4.2f} floors   FaceMatcher.match",
    ]
    if report.request is not None:
        ratio = report.request / report.floor
        lines.append(
            f"request  {report.request:8.1f} ms   {ratio:4.2f} floors   POST over HTTP, checks and crops included"
        )
    lines += ["", "stages of a match, summed over both photos (which run in parallel if a CPU is free):"]
    lines += [f"  {stage:<8}{value:8.1f} ms" for stage, value in report.stages.items()]
    lines.append(f"checks take {report.checks_share:.2f} of detection and recognition")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
