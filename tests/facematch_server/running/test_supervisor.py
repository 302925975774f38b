"""The main process of several workers, with workers that do nothing."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facematch_server.running.link import Heard, MainEnd, WorkerEnd
from facematch_server.running.supervisor import _FIRST_PAUSE, HANGING_SECONDS

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

# `work` of a worker gets its number, its end of the line, and `say`; WORK is its body.
MAIN = """
import asyncio, os, signal, sys, time
from facematch_server.running import supervisor
from facematch_server.running.supervisor import Supervisor

supervisor._FIRST_PAUSE = PAUSE

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def wait_for_stop(line):
    async def wait():
        stop = asyncio.Event()
        with line.calls(asyncio.get_running_loop(), stop.set):
            await stop.wait()
    asyncio.run(wait())

def work(number, line):
WORK

supervisor = Supervisor(
    3, work, stop_seconds=STOP, all_ready=lambda: say("all ready"), stopping=lambda: say("stopping"),
    ended=lambda number, cpu: say("ended", number), hanging_seconds=HANGING,
)
say("code", supervisor.run())
"""
GOOD = """
    say("worker", number, os.getpid())
    line.ready()
    wait_for_stop(line)
    return 0
"""


class Main:
    """A main process and its words."""

    def __init__(self, work: str, **numbers: float) -> None:
        code = MAIN.replace("WORK", work.strip("\n"))
        for name, number in numbers.items():
            code = re.sub(rf"\b{name.upper()}\b", str(number), code)
        self.popen = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "server"), str(ROOT)])},
        )

    def words(self, until: str) -> list[str]:
        """The lines up to the one that begins so."""
        assert self.popen.stdout
        lines = []
        for line in self.popen.stdout:
            lines.append(line.strip())
            if line.startswith(until):
                return lines
        raise AssertionError((lines, self.popen.communicate()))


@pytest.fixture
def start() -> Iterator[Callable[..., Main]]:
    started: list[Main] = []

    def start(work: str = GOOD, stop: float = 5.0, hanging: float = HANGING_SECONDS, pause: float = 0.3) -> Main:
        started.append(Main(work, stop=stop, hanging=hanging, pause=pause))
        return started[-1]

    yield start
    for main in started:
        main.popen.kill()
        main.popen.communicate()


def pids(lines: list[str]) -> dict[str, int]:
    """Process ids of workers by number."""
    return {line.split()[1]: int(line.split()[2]) for line in lines if line.startswith("worker")}


def test_a_worker_that_ends_is_replaced_by_one_of_its_number(start: Callable[..., Main]) -> None:
    main = start()
    first = pids(main.words("all ready"))
    assert set(first) == {"0", "1", "2"}
    os.kill(first["1"], signal.SIGKILL)
    [again] = pids(main.words("worker")).items()
    assert again[0] == "1"
    assert again[1] != first["1"]
    main.popen.send_signal(signal.SIGTERM)
    rest = main.words("code")
    assert rest[-1] == "code 0"
    assert sorted(line for line in rest if line.startswith("ended")) == ["ended 0", "ended 1", "ended 2"]
    assert rest.count("stopping") == 1


def test_workers_hear_no_signals(start: Callable[..., Main]) -> None:
    main = start()
    workers = pids(main.words("all ready"))
    for pid in workers.values():
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)
    time.sleep(0.3)
    assert all(Path(f"/proc/{pid}").exists() for pid in workers.values()) or sys.platform != "linux"
    main.popen.send_signal(signal.SIGINT)
    assert main.words("code")[-1] == "code 0"


def test_workers_end_with_a_killed_main_process(start: Callable[..., Main]) -> None:
    main = start()
    workers = pids(main.words("all ready"))
    main.popen.kill()
    main.popen.wait()
    end = time.monotonic() + 20
    while any(_lives(pid) for pid in workers.values()):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_worker_that_hangs_keeps_no_other_one_alive(start: Callable[..., Main]) -> None:
    """The one that was forked last has copies of what the others had open."""
    main = start(GOOD.replace("    wait_for_stop(line)", "    time.sleep(100) if number == 2 else wait_for_stop(line)"))
    workers = pids(main.words("all ready"))
    main.popen.kill()
    main.popen.wait()
    try:
        end = time.monotonic() + 20
        while _lives(workers["0"]) or _lives(workers["1"]):
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        os.kill(workers["2"], signal.SIGKILL)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(") ")[2][0] != "Z"


def test_a_first_worker_that_cannot_start_ends_all(start: Callable[..., Main]) -> None:
    main = start("    say('worker', number, os.getpid())\n    return 2")
    rest = main.words("code")
    assert rest[-1] == "code 2"
    assert list(pids(rest)) == ["0"]  # the others were not even tried


@pytest.mark.parametrize("pause", [0.3, pytest.param(_FIRST_PAUSE, marks=pytest.mark.slow)])
def test_a_successor_that_cannot_start_is_tried_again_after_a_pause(
    start: Callable[..., Main], tmp_path: Path, pause: float
) -> None:
    flag = tmp_path / "broken"
    main = start(
        f"    if os.path.exists({str(flag)!r}):\n        say('failed', number, os.getpid())\n        return 2" + GOOD,
        pause=pause,
    )
    workers = pids(main.words("all ready"))
    flag.touch()
    os.kill(workers["2"], signal.SIGKILL)
    main.words("failed 2")
    begun = time.monotonic()
    main.words("failed 2")
    assert time.monotonic() - begun > 0.8 * pause
    flag.unlink()
    assert "2" in pids(main.words("worker"))


def test_a_worker_that_does_not_stop_is_killed(start: Callable[..., Main]) -> None:
    main = start("    line.ready()\n    time.sleep(100)", stop=0.1)
    main.words("all ready")
    main.popen.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    assert main.words("code")[-1] == "code 0"
    assert time.monotonic() - begun < 10


@pytest.mark.slow
def test_a_worker_whose_event_loop_hangs_is_replaced(start: Callable[..., Main], tmp_path: Path) -> None:
    flag = tmp_path / "hung"
    hang = f"""
    if number == 1 and not os.path.exists({str(flag)!r}):
        open({str(flag)!r}, "w").close()
        time.sleep(100)
"""
    main = start(GOOD.replace("    wait_for_stop(line)", hang + "    wait_for_stop(line)"), hanging=4.0)
    first = pids(main.words("all ready"))
    begun = time.monotonic()
    again = pids(main.words("worker"))
    assert time.monotonic() - begun > 3.0
    assert set(again) == {"1"}
    time.sleep(6)  # the others and the successor say that they run
    main.popen.send_signal(signal.SIGTERM)
    rest = main.words("code")
    assert rest[-1] == "code 0"
    assert not pids(rest)
    assert "worker 1 hangs: its event loop has not run for 4 s" in main.popen.communicate()[1]
    assert not _lives(first["1"])


@pytest.mark.slow
def test_after_a_pause_of_the_machine_no_worker_hangs(start: Callable[..., Main]) -> None:
    """The main process may run first."""
    main = start(hanging=4.0)
    workers = pids(main.words("all ready"))
    every = [main.popen.pid, *workers.values()]
    for pid in every:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(6)
    for pid in every:
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.5)
    assert all(_lives(pid) for pid in workers.values())
    main.popen.send_signal(signal.SIGTERM)
    assert not pids(main.words("code"))


SLOW_START = """
    say("worker", number, os.getpid())
    time.sleep(SECONDS)
    line.ready()
    say("ready", number)
    wait_for_stop(line)
    return 0
"""


@pytest.mark.parametrize(
    ("seconds", "until", "most"), [("0.7", "worker 0", {"0"}), ("0.7 if number else 0", "worker 2", {"0", "1", "2"})]
)
def test_a_worker_that_starts_when_the_order_to_stop_comes_ends_in_order(
    start: Callable[..., Main], seconds: str, until: str, most: set[str]
) -> None:
    main = start(SLOW_START.replace("SECONDS", seconds))
    before = main.words(until)
    main.popen.send_signal(signal.SIGTERM)
    rest = main.words("code")
    assert rest[-1] == "code 0"
    assert "all ready" not in rest
    started = [line.split()[1] for line in before + rest if line.startswith("worker")]
    assert set(started) <= most
    assert len(started) == len(set(started))
    assert rest.count("ready 0") + rest.count("ready 2") >= 1


def test_a_worker_killed_in_the_first_start_is_replaced(start: Callable[..., Main], tmp_path: Path) -> None:
    main = start(
        f"""
    say("worker", number, os.getpid())
    if number == 1 and not os.path.exists({str(tmp_path / "killed")!r}):
        open({str(tmp_path / "killed")!r}, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    line.ready()
    wait_for_stop(line)
    return 0
"""
    )
    lines = main.words("all ready")
    assert [line.split()[1] for line in lines if line.startswith("worker")].count("1") == 2
    main.popen.send_signal(signal.SIGTERM)
    assert main.words("code")[-1] == "code 0"


def test_a_fork_that_fails_is_tried_again(start: Callable[..., Main]) -> None:
    main = start(
        """
    say("worker", number, os.getpid())
    line.ready()
    wait_for_stop(line)
    return 0

fork, failures = os.fork, iter([True, False, True])
def failing():
    if next(failures, False):
        raise OSError(11, "Resource temporarily unavailable")
    return fork()
os.fork = failing
"""
    )
    lines = main.words("all ready")
    assert set(pids(lines)) == {"0", "1", "2"}
    main.popen.send_signal(signal.SIGTERM)
    assert main.words("code")[-1] == "code 0"
    assert "Resource temporarily unavailable" in main.popen.communicate()[1]


def test_a_worker_says_that_it_runs_and_that_it_is_ready() -> None:
    line = MainEnd()

    async def say() -> list[Heard]:
        worker = WorkerEnd(line._theirs)
        with worker.calls(asyncio.get_running_loop(), lambda: None):
            await asyncio.sleep(0.05)
            heard = [line.hear()]
            worker.ready()
            heard.append(line.hear())
            while not (again := line.hear()).open:  # nothing has come yet
                await asyncio.sleep(0.05)
        line.become_main_end()
        return [*heard, again, line.hear()]

    assert asyncio.run(asyncio.wait_for(say(), 20)) == [
        Heard(open=True, ready=False),
        Heard(open=True, ready=True),
        Heard(open=True, ready=False),
        Heard(open=False, ready=False),
    ]
    line.close()


def test_after_an_order_the_end_of_the_main_process_is_not_a_second_one() -> None:
    line = MainEnd()
    orders: list[str] = []

    async def hear() -> None:
        worker = WorkerEnd(line._theirs)
        with worker.calls(asyncio.get_running_loop(), lambda: orders.append("stop")):
            line.stop()
            await asyncio.sleep(0.05)
            line.close()
            await asyncio.sleep(0.05)
        assert worker.broken

    asyncio.run(hear())
    line.become_main_end()
    assert orders == ["stop"]
