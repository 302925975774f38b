"""Soak test: many requests of all kinds to a temporary service, to find wrong replies and leaks.

    python scripts/soak.py [--requests 20000] [--pack NAME] [--clients 4] [--seed 1]

The script mixes valid, invalid, hostile and incomplete requests in all modes at random. The test fails if a reply is a
5xx or is wrong for its kind of request, if memory grows by more than 5 % after the warm-up, or if file descriptors or
threads grow. The same seed gives the same requests.
"""

from __future__ import annotations

import argparse
import base64
import http.server
import io
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

ROOT = Path(__file__).resolve().parents[1]
V2 = "/api/v2/ekyc/face_matching"
FILE = {"type1": "card", "format_type": "file"}
BASE64 = {"type1": "portrait", "format_type": "base64"}
URL = {"type1": "card", "format_type": "url"}

ROUNDS = 25
WARM_UP = 0.2  # share of the rounds that do not count
LEVEL = 0.05  # largest permitted growth of memory, as a share


@dataclass(frozen=True)
class Service:
    """The service under test."""

    url: str
    port: int
    auth: tuple[str, str]
    process: psutil.Process

    @property
    def basic(self) -> str:
        return "Basic " + base64.b64encode(":".join(self.auth).encode()).decode()


@dataclass(frozen=True)
class Photos:
    """Photos to send."""

    person: bytes
    group: bytes
    large: bytes
    bomb: bytes
    url: str


@dataclass
class Tally:
    """Outcomes of the requests."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, outcome: str, right: bool) -> None:
        with self.lock:
            self.outcomes[f"{kind}: {outcome}"] += 1
            if not right:
                self.wrong.append(f"{kind}: {outcome}")


Kind = Callable[[Service, Photos, random.Random, requests.Session], str]


def main() -> int:
    options = _options()
    random_ = random.Random(options.seed)
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, _photos() as photos, _service(Path(folder), options.pack) as service:
        samples = []
        per_round = max(options.requests // ROUNDS, 1)
        begun = time.monotonic()
        with ThreadPoolExecutor(options.clients) as clients:
            for number in range(ROUNDS):
                seeds = [random_.random() for _ in range(per_round)]
                list(clients.map(lambda seed: _one(service, photos, seed, tally), seeds))
                samples.append(_sample(service))
                print(f"round {number + 1}/{ROUNDS}: {samples[-1]}", flush=True)
        seconds = time.monotonic() - begun
        problems = _judge(samples, tally)
    print(f"\n{per_round * ROUNDS} requests in {seconds:.0f} s")
    for outcome, count in sorted(tally.outcomes.items()):
        print(f"{count:7d}  {outcome}")
    for problem in problems:
        print("FAILED:", problem)
    print("soak:", "failed" if problems else "passed")
    return 1 if problems else 0


# -- one request of each kind ----------------------------------------------------------------------


def _good_file(service: Service, photos: Photos, random_: random.Random, session: requests.Session) -> str:
    second = random_.choice([photos.person, photos.person, photos.group, photos.large])
    return _code(session.post(service.url + V2, params=FILE, files={"img1": photos.person, "img2": second}))


def _good_base64(service: Service, photos: Photos, random_: random.Random, session: requests.Session) -> str:
    text = random_.choice([base64.b64encode, base64.encodebytes, base64.urlsafe_b64encode])(photos.person).decode()
    return _code(session.post(service.url + V2, params=BASE64, json={"img1": text, "img2": text}))


def _good_url(service: Service, photos: Photos, _: random.Random, session: requests.Session) -> str:
    return _code(session.get(service.url + V2, params={**URL, "img1": photos.url, "img2": photos.url}))


def _detailed(service: Service, photos: Photos, _: random.Random, session: requests.Session) -> str:
    response = session.post(service.url + "/v1/compare", files={"img1": photos.person, "img2": photos.person})
    return "0" if response.status_code == 200 else str(response.status_code)


def _bad_photo(service: Service, photos: Photos, random_: random.Random, session: requests.Session) -> str:
    junk = random_.choice([b"junk", random_.randbytes(5000), photos.person[:300], photos.bomb])
    return _code(session.post(service.url + V2, params=FILE, files={"img1": photos.person, "img2": junk}))


def _bad_credentials(service: Service, photos: Photos, _: random.Random, session: requests.Session) -> str:
    files = {"img1": photos.person, "img2": photos.person}
    return _code(session.post(service.url + V2, params=FILE, files=files, auth=("nobody", "nothing")))


def _bad_format(service: Service, photos: Photos, random_: random.Random, session: requests.Session) -> str:
    params = random_.choice([{}, {"format_type": "zip"}, {**FILE, "type1": "passport"}, URL])
    return _code(session.post(service.url + V2, params=params, files={"img1": photos.person}))


def _bad_url(service: Service, photos: Photos, random_: random.Random, session: requests.Session) -> str:
    url = random_.choice(["http://127.0.0.1:1/x", "ftp://x/y", photos.url + "-not", "http://169.254.169.254/"])
    return _code(session.get(service.url + V2, params={**URL, "img1": photos.url, "img2": url}))


def _missing(service: Service, _: Photos, random_: random.Random, session: requests.Session) -> str:
    body = random_.choice([{}, {"img1": ""}, {"img1": "eHg="}, [], None])
    return _code(session.post(service.url + V2, params=BASE64, json=body))


def _mutated(service: Service, photos: Photos, random_: random.Random, session: requests.Session) -> str:
    photo = bytearray(photos.person)
    for _ in range(random_.randint(1, 20)):
        photo[random_.randrange(len(photo))] = random_.randrange(256)
    photo = photo[: random_.randint(100, len(photo))]
    return _code(session.post(service.url + V2, params=FILE, files={"img1": bytes(photo), "img2": photos.person}))


def _random_body(service: Service, _: Photos, random_: random.Random, session: requests.Session) -> str:
    headers = {"Content-Type": random_.choice(["multipart/form-data; boundary=b", "application/json", "a/b", ""])}
    body = random_.randbytes(random_.randint(0, 20_000))
    params = random_.choice([FILE, BASE64])
    return _code(session.post(service.url + V2, params=params, data=body, headers=headers))


def _too_large(service: Service, _: Photos, __: random.Random, session: requests.Session) -> str:
    files = {"img1": bytes(11 << 20), "img2": b"x"}
    return _code(session.post(service.url + V2, params=FILE, files=files))


def _garbage(service: Service, _: Photos, random_: random.Random, __: requests.Session) -> str:
    return _raw(service, random_.randbytes(random_.randint(1, 2000)) + b"\r\n\r\n", wait=True)


def _broken_off(service: Service, photos: Photos, random_: random.Random, _: requests.Session) -> str:
    """Close the connection within the request's head or body, or before the reply."""
    body = b'--b\r\nContent-Disposition: form-data; name="img1"\r\n\r\n' + photos.person + b"\r\n"
    body += b'--b\r\nContent-Disposition: form-data; name="img2"\r\n\r\n' + photos.person + b"\r\n--b--\r\n"
    head = f"POST {V2}?format_type=file HTTP/1.1\r\nHost: x\r\nAuthorization: {service.basic}\r\n"
    head += f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    where = random_.choice([random_.randint(1, len(head)), random_.randint(len(head), len(request)), len(request)])
    return _raw(service, request[:where], wait=False)


# By name of the kind: function, weight, and correct outcomes.
KINDS: dict[str, tuple[Kind, int, set[str]]] = {
    "file": (_good_file, 20, {"0"}),
    "base64": (_good_base64, 12, {"0"}),
    "url": (_good_url, 8, {"0"}),
    "detailed": (_detailed, 5, {"0"}),
    "bad photo": (_bad_photo, 8, {"3"}),
    "bad credentials": (_bad_credentials, 6, {"5"}),
    "bad format": (_bad_format, 6, {"6"}),
    "bad url": (_bad_url, 6, {"2"}),
    "missing": (_missing, 6, {"1"}),
    "mutated": (_mutated, 8, {"0", "3"}),
    "random body": (_random_body, 5, {"1", "3", "6"}),
    "too large": (_too_large, 1, {"3"}),
    "garbage": (_garbage, 4, {"400", "closed"}),
    "broken off": (_broken_off, 5, {"left"}),
}


def _one(service: Service, photos: Photos, seed: float, tally: Tally) -> None:
    random_ = random.Random(seed)
    name = random_.choices(list(KINDS), [weight for _, weight, _ in KINDS.values()])[0]
    kind, _, right = KINDS[name]
    session = _session(service)
    try:
        outcome = kind(service, photos, random_, session)
    except requests.RequestException as error:
        outcome = type(error).__name__
    tally.note(name, outcome, outcome in right)


_local = threading.local()


def _session(service: Service) -> requests.Session:
    """One persistent connection per client thread."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
        _local.session.auth = service.auth
        send = _local.session.request
        _local.session.request = lambda *args, **options: send(*args, **{"timeout": 120, **options})
    session: requests.Session = _local.session
    return session


def _code(response: requests.Response) -> str:
    """The errorCode of a reply with status 200, else the status."""
    if response.status_code != 200:
        return f"HTTP {response.status_code}"
    content = response.json()
    if list(content) != ["data", "errorCode", "errorMessage"]:
        return "no envelope"
    return str(content["errorCode"])


def _raw(service: Service, data: bytes, wait: bool) -> str:
    with closing(socket.create_connection(("127.0.0.1", service.port), timeout=120)) as sock, suppress(ConnectionError):
        sock.sendall(data)
        if wait:
            answer = sock.recv(100)
            return answer.split(b" ")[1].decode() if answer.startswith(b"HTTP/1.1 ") else "closed"
    return "closed" if wait else "left"


# -- the service and the photos --------------------------------------------------------------------


@contextmanager
def _service(folder: Path, pack: str) -> Iterator[Service]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEMATCH_")}
    if "FACEMATCH_MODELS" in os.environ:
        environment["FACEMATCH_MODELS"] = os.environ["FACEMATCH_MODELS"]
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "server"), *sys.path]),
        "FACEMATCH_PACK": pack,
        "FACEMATCH_DATA_DIR": str(folder),
        "FACEMATCH_PORT": "0",
        "FACEMATCH_DEADLINE_SECONDS": "100",  # the machine may be busy
        "FACEMATCH_BODY_SECONDS": "60",
    }
    code = "import sys; from facematch_server import run; from facematch_server.settings import Settings; "
    log = (folder / "log").open("w+")
    process = subprocess.Popen(  # noqa: S603  the command is written here
        [sys.executable, "-c", code + "sys.exit(run(Settings()))"], env=environment, stdout=subprocess.PIPE, stderr=log
    )
    try:
        port = _port(process, folder / "log")
        auth = _key(process)
        yield Service(f"http://127.0.0.1:{port}", port, auth, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    while True:
        for line in log.read_text().splitlines():
            if line.startswith("{") and json.loads(line)["message"] == "listening":
                return int(json.loads(line)["address"].rpartition(":")[2])
        if process.poll() is not None:
            raise SystemExit(log.read_text())
        time.sleep(0.1)


def _key(process: subprocess.Popen[bytes]) -> tuple[str, str]:
    assert process.stdout is not None
    words: dict[str, str] = {}
    while len(words) < 2:
        name, _, value = process.stdout.readline().decode().strip().partition(":")
        if name in ("api_key", "api_secret"):
            words[name] = value.strip()
    return words["api_key"], words["api_secret"]


@contextmanager
def _photos() -> Iterator[Photos]:
    import skimage.data
    from insightface.data import get_image
    from PIL import Image

    def jpeg(image: Image.Image) -> bytes:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=90)
        return stream.getvalue()

    person = Image.fromarray(skimage.data.astronaut())
    stream = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(stream, "PNG")
    small = jpeg(person.crop((100, 0, 356, 256)))
    with _web_server({"/photo.jpg": small}) as url:
        yield Photos(
            person=small,
            group=jpeg(Image.fromarray(get_image("t1")[:, :, ::-1].copy())),
            large=jpeg(person.resize((2048, 2048))),
            bomb=stream.getvalue(),
            url=url + "/photo.jpg",
        )


@contextmanager
def _web_server(content: dict[str, bytes]) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = content.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


# -- the verdict -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """Resources of the service's process between two rounds, while it is idle."""

    memory_mb: float
    descriptors: int
    threads: int


def _sample(service: Service) -> Sample:
    """Wait until the service is idle, then sample; requests of disconnected clients run on for a while."""
    pattern = "facematch_places_taken 0.0"
    for _ in range(600):
        if pattern in requests.get(service.url + "/metrics", timeout=60).text:
            break
        time.sleep(0.1)
    process = service.process
    return Sample(round(process.memory_info().rss / 2**20, 1), process.num_fds(), process.num_threads())


def _judge(samples: list[Sample], tally: Tally) -> list[str]:
    problems = [f"{count} times {what}" for what, count in Counter(tally.wrong).items()]
    level = samples[int(len(samples) * WARM_UP) :]
    third = max(len(level) // 3, 1)
    early, late = level[:third], level[-third:]
    for name in ("memory_mb", "descriptors", "threads"):
        before, after = (statistics.median(getattr(sample, name) for sample in part) for part in (early, late))
        print(f"{name}: {before:g} after warm-up, {after:g} at the end ({(after / before - 1) * 100:+.1f} %)")
        # A client's persistent connection may be open in one sample and closed in the next.
        allowed = before * LEVEL if name == "memory_mb" else 4
        if after - before > allowed:
            problems.append(f"{name} grew from {before:g} to {after:g}")
    return problems


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--pack", default=os.environ.get("FACEMATCH_PACK", "compact"))
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
