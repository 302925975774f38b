"""Steps of a long command, on a terminal and in a log."""

from __future__ import annotations

import io

from rich.console import Console

from facematch_server.cli.steps import StepWatcher

STEPS = ("collecting wheels: 1", "collecting wheels: 2, downloading numpy (16.6 MB)", "computing checksums: 150 MB")


def shown(terminal: bool) -> str:
    out = io.StringIO()
    now = iter(range(100))
    with StepWatcher(Console(file=out, force_terminal=terminal, width=100), lambda: float(next(now))) as watcher:
        for step in STEPS:
            watcher.tell(step)
    return out.getvalue()


def test_a_log_gets_a_line_for_each_stage() -> None:
    assert shown(terminal=False) == "   1 s  collecting wheels\n   2 s  computing checksums\n"


def test_a_terminal_shows_the_present_step() -> None:
    text = shown(terminal=True)
    assert "computing checksums: 150 MB" in text
    assert text.endswith("\x1b[2K")  # nothing stays on the screen
