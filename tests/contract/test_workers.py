"""Several workers on one port: they answer alike, count exactly, add their metrics up, and replace each other."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from facematch_server.store import KeySettings, NewKey, Store, upgrade
from tests.service_process import Process, half_sent

V2 = "/api/v2/ekyc/face_matching"
FILE = {"type1": "portrait", "format_type": "file"}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="several workers need Linux"),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database with the current schema."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'facematch.db'}"
        return
    with request.getfixturevalue("postgres").new_database() as url:
        upgrade(url)
        yield url


def base(process: Process) -> str:
    return f"http://127.0.0.1:{process.ports[0]}"


def workers_of(process: Process) -> list[psutil.Process]:
    return psutil.Process(process.popen.pid).children()


def shared_folder(process: Process) -> Path:
    """The folder of the metrics' files, which the main process holds open."""
    [folder] = {opened.resolve() for opened in Path(f"/proc/{process.popen.pid}/fd").iterdir() if opened.is_dir()}
    assert folder.name.startswith("facematch-metrics-")
    return folder


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def metrics(url: str) -> dict[str, float]:
    """Values by name; those of one name added up over their labels."""
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(requests.get(url + "/metrics", timeout=20).text):
        for sample in family.samples:
            found[sample.name] += sample.value  # type: ignore[assignment]
    return dict(found)


def new_key(database: str, **settings: Any) -> NewKey:
    with closing(Store.open(database)) as store:
        return store.create_key(KeySettings(**settings))


def compare(url: str, new: NewKey, photo: bytes) -> requests.Response:
    """One comparison on a connection of its own."""
    files = {"img1": photo, "img2": photo}
    auth = (new.api_key, new.api_secret)
    return requests.post(url + V2, params=FILE, files=files, auth=auth, timeout=60)


def test_one_banner_and_metrics_that_add_up(launch: Callable[..., Process], astronaut_jpeg: bytes) -> None:
    process = launch(WORKERS=2, THREADS=2, QUEUE_SIZE=9, DECODE_PROCESSES=2)
    url = base(process)
    assert "".join(process.out).count("api_secret:") == 1
    first = process.wait_for(r"curl -u (\S+):(\S+) ", process.out)
    assert len(workers_of(process)) == 2

    def post(_: int) -> int:
        files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
        return requests.post(url + V2, params=FILE, files=files, auth=(first[1], first[2]), timeout=60).status_code

    before = metrics(url)
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(post, range(12))) == [200] * 12
    # Both have computed.
    assert all(worker.cpu_times().user > 0.2 for worker in workers_of(process))
    until(lambda: metrics(url)["facematch_places_taken"] == 0)
    for _ in range(6):  # whichever worker answers
        found = metrics(url)
        assert found["facematch_requests_total"] == 12
        assert found["facematch_http_responses_total"] >= 12
        assert found["facematch_stage_seconds_count"] % 12 == 0
        assert found["facematch_places"] == 2 + 9
        assert found["facematch_decoders"] == 2
        assert found["facematch_draining"] == 0
        assert found["facematch_pack_info"] == 1
        assert found["process_cpu_seconds_total"] > before["process_cpu_seconds_total"]
        memory = sum(one.memory_info().rss for one in [psutil.Process(process.popen.pid), *workers_of(process)])
        assert found["process_resident_memory_bytes"] == pytest.approx(memory, rel=0.1)
    victim = workers_of(process)[0]
    cpu = found["process_cpu_seconds_total"]
    victim.kill()
    until(lambda: len([one for one in workers_of(process) if one.pid != victim.pid]) == 2)
    until(lambda: metrics(url)["facematch_places"] == 11)
    for _ in range(6):
        found = metrics(url)
        assert found["facematch_requests_total"] == 12
        assert found["process_cpu_seconds_total"] >= cpu
    assert "worker" in process.wait_for(r"worker \d ended by signal 9", process.err)[0]
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(20) == 0


def test_workers_answer_as_a_single_process_does(
    launch: Callable[..., Process], tmp_path: Path, astronaut_jpeg: bytes, group_photo_jpeg: bytes
) -> None:
    """Every measure is the same, bit for bit: the models survive the fork."""

    def details(process: Process, times: int) -> set[str]:
        url = base(process)
        auth = process.wait_for(r"curl -u (\S+):(\S+) ", process.out).groups()
        files = {"img1": group_photo_jpeg, "img2": astronaut_jpeg}

        def one(_: int) -> str:
            reply = requests.post(url + "/v1/compare", files=files, auth=auth, timeout=60)
            assert reply.status_code == 200, reply.text
            kept = {name: value for name, value in reply.json().items() if name not in ("timings", "request_id")}
            return json.dumps(kept)

        with ThreadPoolExecutor(2) as threads:
            return set(threads.map(one, range(times)))

    several = launch(WORKERS=2, DATA_DIR=tmp_path / "several")
    found = details(several, 8)
    assert all(worker.cpu_times().user > 0.2 for worker in workers_of(several))
    several.popen.send_signal(signal.SIGTERM)
    assert several.popen.wait(20) == 0
    assert details(launch(WORKERS=1, DATA_DIR=tmp_path / "single"), 2) == found
    assert len(found) == 1


def test_a_quota_is_exact_while_workers_are_killed(
    launch: Callable[..., Process], database: str, request: pytest.FixtureRequest, astronaut_jpeg: bytes
) -> None:
    """And, on PostgreSQL, while the server crashes and comes back."""
    new = new_key(database, quota=25)
    process = launch(WORKERS=3, DATABASE_URL=database)
    url = base(process)
    said: Counter[str] = Counter()

    def client() -> None:
        while said["0"] + said["4"] < 60:
            try:
                said[compare(url, new, astronaut_jpeg).json()["errorCode"]] += 1
            except requests.ConnectionError:
                said["lost"] += 1

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    for answered in (5, 12, 18):
        until(lambda answered=answered: said["0"] >= answered or said["4"] > 0)  # type: ignore[misc]
        workers_of(process)[0].kill()
        if answered == 12 and "sqlite" not in database:
            postgres = request.getfixturevalue("postgres")
            postgres.stop()
            time.sleep(0.5)
            postgres.start()
    for thread in threads:
        thread.join(100)
    until(lambda: len(workers_of(process)) == 3)
    # 503: while the server was down, or a commit whose answer did not arrive.
    assert set(said) <= {"0", "4", "lost", "503"}
    assert said["lost"] > 0
    with closing(Store.open(database)) as store:
        found = store.usage(new.api_key)
    # A killed worker may have counted requests whose replies it could not send.
    assert said["0"] <= found.total <= min(said["0"] + said["lost"] + said["503"], 25)
    assert found.total + found.reserved == 25
    with closing(Store.open(database, clock=lambda: datetime.now(UTC) + timedelta(hours=2))) as store:
        key = store.authenticate(new.api_key, new.api_secret)
        assert key is not None
        while reservation := store.reserve(key, 60):
            assert store.commit(reservation)
        final = store.usage(new.api_key)
    assert (final.total, final.reserved) == (25, 0)
    assert compare(url, new, astronaut_jpeg).json()["errorCode"] == "4"
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(20) == 0


def test_a_rate_limit_holds_over_all_workers(
    launch: Callable[..., Process], tmp_path: Path, astronaut_jpeg: bytes
) -> None:
    """Also after a cleaner of temporary files has been there and a worker has begun anew."""
    new = new_key(f"sqlite:///{tmp_path / 'facematch.db'}", rate_limit=6)
    process = launch(WORKERS=3)
    url = base(process)
    for file in shared_folder(process).iterdir():
        file.unlink()
    victim = workers_of(process)[0]
    victim.kill()
    until(lambda: len([one for one in workers_of(process) if one.pid != victim.pid]) == 3)
    until(lambda: metrics(url)["facematch_places"] >= 34)
    with ThreadPoolExecutor(6) as threads:
        begun = time.monotonic()
        said = Counter(threads.map(lambda _: compare(url, new, astronaut_jpeg).status_code, range(18)))
    refilled = 1 + (time.monotonic() - begun) / 10
    assert 6 <= said[200] <= 6 + refilled
    assert said[200] + said[429] == 18


def test_sigterm_to_the_whole_group_drains_all_workers(
    launch: Callable[..., Process], tmp_path: Path, astronaut_jpeg: bytes
) -> None:
    """Accepted requests are finished, whichever worker has them; new connections are refused."""
    new = new_key(f"sqlite:///{tmp_path / 'facematch.db'}")
    process = launch(WORKERS=2)
    url = base(process)
    waiting = [half_sent(url, (new.api_key, new.api_secret), astronaut_jpeg) for _ in range(6)]
    until(lambda: metrics(url)["facematch_places_taken"] == 6)
    for one in [process.popen.pid, *(worker.pid for worker in workers_of(process))]:
        os.kill(one, signal.SIGTERM)
    process.wait_for(r"draining[\s\S]*draining", process.err)
    until(lambda: refuses(url))
    for sock, rest in waiting:
        with closing(sock):
            sock.sendall(rest)
            answer = b""
            while chunk := sock.recv(65536):
                answer += chunk
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"errorCode":"0"' in answer
    assert process.popen.wait(20) == 0
    assert "Traceback" not in "".join(process.err)


def refuses(url: str) -> bool:
    try:
        requests.get(url + "/healthz", timeout=5)
    except requests.ConnectionError:
        return True
    return False


def test_a_second_signal_ends_all_at_once(
    launch: Callable[..., Process], tmp_path: Path, astronaut_jpeg: bytes
) -> None:
    new = new_key(f"sqlite:///{tmp_path / 'facematch.db'}")
    process = launch(WORKERS=2)
    url = base(process)
    with closing(half_sent(url, (new.api_key, new.api_secret), astronaut_jpeg)[0]):
        until(lambda: metrics(url)["facematch_places_taken"] == 1)
        workers = workers_of(process)
        process.popen.send_signal(signal.SIGINT)
        process.wait_for(r"draining", process.err)
        process.popen.send_signal(signal.SIGINT)
        assert process.popen.wait(5) == 0
    assert not psutil.wait_procs(workers, timeout=5)[1]


def test_workers_end_with_the_main_process(launch: Callable[..., Process]) -> None:
    process = launch(WORKERS=2)
    url = base(process)
    workers = workers_of(process)
    below = [child for worker in workers for child in worker.children()]
    shared = shared_folder(process)
    # systemd-tmpfiles asks for this lock before it cleans a folder.
    import fcntl

    opened = os.open(shared, os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(opened)
    process.popen.kill()
    assert not psutil.wait_procs([*workers, *below], timeout=20)[1]
    assert refuses(url)
    assert not shared.exists()


def test_a_service_that_cannot_start_says_so_once(launch: Callable[..., Process], tmp_path: Path) -> None:
    for options, reason in (
        ({"PACK": "no-such-pack"}, "no-such-pack"),
        ({"DATABASE_URL": "sqlite://"}, "in memory it would lose keys and counts"),
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "cannot be opened"),
    ):
        process = launch(WORKERS=2, **options)
        assert process.popen.wait(60) == 2
        time.sleep(0.2)
        lines = [line for line in process.err if not line.startswith("{")]
        assert len(lines) == 1, process.err
        assert reason in lines[0]


def test_a_worker_that_cannot_start_is_tried_again(launch: Callable[..., Process], tmp_path: Path) -> None:
    """Its database is gone for a while; the others go on."""
    file = tmp_path / "facematch.db"
    new_key(f"sqlite:///{file}")
    process = launch(WORKERS=2)
    url = base(process)
    aside = tmp_path / "aside.db"
    file.rename(aside)
    workers_of(process)[0].kill()
    process.wait_for(r"worker \d ended with exit code 2", process.err)
    assert not file.exists()
    assert requests.get(url + "/healthz", timeout=20).status_code == 200
    aside.rename(file)
    until(lambda: len(workers_of(process)) == 2 and metrics(url)["facematch_places"] >= 34)
    until(lambda: requests.get(url + "/readyz", timeout=20).status_code == 200)
