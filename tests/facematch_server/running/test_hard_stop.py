"""The end that nothing can put off."""

from __future__ import annotations

import io
import logging
import queue
import subprocess
import sys
import time

from facematch_server.running.hard_stop import HardEnd

CODE = """
import sys
sys.path[:0] = {path!r}
from facematch_server.running.hard_stop import HardEnd
HardEnd().within(0.3)
try:
    while True:
        sum(range(1000))
finally:
    print("orderly")
"""


def test_the_earliest_time_counts() -> None:
    ends: queue.Queue[int] = queue.Queue()
    end = HardEnd(ends.put)
    begun = time.monotonic()
    end.within(60)
    end.within(0.2)
    end.within(60)
    assert ends.get(timeout=10) == 0
    assert time.monotonic() - begun >= 0.2


def test_a_process_in_the_middle_of_work_ends() -> None:
    code = CODE.format(path=sys.path)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    assert done.returncode == 0
    assert not done.stdout


def test_a_log_that_hangs_puts_no_end_off() -> None:
    ends: queue.Queue[int] = queue.Queue()
    handler = logging.StreamHandler(io.StringIO())
    logger = logging.getLogger()
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        with handler.lock:  # type: ignore[union-attr]
            HardEnd(ends.put).within(0.1)
            assert ends.get(timeout=5) == 0
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
