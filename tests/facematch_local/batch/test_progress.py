"""Progress off a terminal and on one."""

from __future__ import annotations

import io

from rich.console import Console

from facematch_local.batch.progress import ConsoleWatcher
from facematch_local.batch.rows import Fault, Outcome, RowError

MATCH = Outcome("1", "a", "b", "card", 99.0, "match")
FAILED = Outcome("2", "a", "b", "card", fault=Fault(RowError.EMPTY, "the photo has no bytes"))


def test_off_a_terminal_a_line_from_time_to_time() -> None:
    stream, now = io.StringIO(), [0.0]
    console = Console(file=stream, width=140, highlight=False)
    with ConsoleWatcher(console, every=30.0, clock=lambda: now[0]) as watcher:
        watcher.begin(10_100, 100)
        for row in range(100):
            now[0] += 0.5
            watcher.advance(FAILED if row % 10 == 0 else MATCH)
    # At 2 rows a second the first line comes after 60 rows, the next would after 120.
    assert stream.getvalue() == "160 of 10,100 rows, 1:22:50 left; 2.0/s, match 54, unsure 0, no_match 0, errors 6\n"


def test_on_a_terminal_a_bar() -> None:
    stream, now = io.StringIO(), [0.0]
    with ConsoleWatcher(Console(file=stream, width=140, force_terminal=True), clock=lambda: now[0]) as watcher:
        watcher.begin(4, 1)
        for outcome in (MATCH, FAILED, MATCH):
            now[0] += 1.0
            watcher.advance(outcome)
    assert "4/4" in stream.getvalue()
    assert "1.0/s, match 2, unsure 0, no_match 0, errors 1" in stream.getvalue()
