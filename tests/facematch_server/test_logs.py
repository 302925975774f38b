"""What the logs of the service omit; each test has a process, since logging is set up once."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from facematch_server.log_repeats import PER_WINDOW, WINDOW_SECONDS, RepeatFilter
from facematch_server.log_text import TextFormatter

CODE = """
import sys
sys.path[:0] = {path!r}
from facematch_server.logs import set_up_logs
from facematch_server.store.schema import upgrade
set_up_logs({level!r}, "json")
upgrade({database!r})
"""


@pytest.mark.slow
@pytest.mark.parametrize(("level", "told"), [("INFO", False), ("DEBUG", True)])
def test_making_the_tables_is_told_at_debug_only(level: str, told: bool, tmp_path: Path) -> None:
    code = CODE.format(path=sys.path, level=level, database=f"sqlite:///{tmp_path}/new.db")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    assert ("alembic" in done.stderr) == told, done.stderr
    assert told or not done.stderr
    assert not done.stdout


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def passed(repeats: RepeatFilter, count: int, **changes: Any) -> list[dict[str, Any]]:
    """The fields of those of `count` equal lines that pass."""
    kept = []
    for _ in range(count):
        given = {"name": "x", "level": logging.WARNING, "msg": "too many", "fields": {}, **changes}
        record = logging.LogRecord(given["name"], given["level"], "f", 1, given["msg"], (), None)
        record.fields = given["fields"]
        if repeats.filter(record):
            kept.append(record.fields)
    return kept


def test_a_line_that_repeats_is_printed_a_few_times_a_minute() -> None:
    clock = Clock()
    repeats = RepeatFilter(clock)
    assert len(passed(repeats, 1000)) == PER_WINDOW
    clock.now = WINDOW_SECONDS - 1
    assert not passed(repeats, 10)
    clock.now = WINDOW_SECONDS
    assert passed(repeats, 1000) == [{"left_out": 1005}] + [{}] * (PER_WINDOW - 1)


def test_lines_of_other_kinds_are_not_held_back() -> None:
    repeats = RepeatFilter(Clock())
    passed(repeats, 1000)
    assert len(passed(repeats, 1, msg="another")) == 1
    assert len(passed(repeats, 1, name="y")) == 1
    assert len(passed(repeats, 1, level=logging.ERROR)) == 1
    assert len(passed(repeats, 1, fields={"exception": "ValueError", "at": ["a.py:1 f"]})) == 1


def test_lines_of_requests_and_below_a_warning_pass() -> None:
    repeats = RepeatFilter(Clock())
    assert len(passed(repeats, 100, fields={"request_id": "7"})) == 100
    assert len(passed(repeats, 100, level=logging.INFO)) == 100


def test_kinds_without_number_are_forgotten() -> None:
    repeats = RepeatFilter(Clock())
    for number in range(5000):
        passed(repeats, 1, msg=str(number))
    assert len(repeats._kinds) <= 1000


def text_line(colours: bool = False, level: int = logging.INFO, msg: str = "request", **fields: Any) -> str:
    record = logging.LogRecord("facematch", level, "f", 1, msg, (), None)
    record.fields = fields
    return TextFormatter(lambda info: f"{info}", colours=colours).format(record)


REQUEST = {
    "request_id": "5f0c", "method": "POST", "route": "/api/v2/ekyc/face_matching", "status": 200, "error_code": "0",
    "invalid_code": "7", "key": "3", "ms": 141.2, "decode_ms": 18.0,
}  # fmt: skip


def test_a_request_on_a_terminal_is_one_short_line() -> None:
    line = text_line(**REQUEST)
    assert line[8:] == "  POST /api/v2/ekyc/face_matching  200  errorCode 0  invalidCode 7  141 ms  key 3  5f0c"
    assert text_line(request_id="5f0c", method="GET", route="/", status=200, ms=0.6)[8:] == "  GET /  200  1 ms  5f0c"


def test_faults_and_refusals_are_coloured() -> None:
    assert "\x1b[1;31mPOST" in text_line(colours=True, **{**REQUEST, "status": 500})
    assert "\x1b[33mPOST" in text_line(colours=True, **{**REQUEST, "error_code": "5"})
    assert "\x1b[33mWARNING  careful" in text_line(True, logging.WARNING, "careful")
    assert "\x1b" not in text_line(False, logging.ERROR, "fault", exception="ValueError")
    assert (
        text_line(False, logging.ERROR, "fault", exception="ValueError")[8:] == "  ERROR  fault  exception=ValueError"
    )
    assert text_line(False, logging.INFO, "ready", name="standard")[8:] == "  ready  name=standard"


@pytest.mark.parametrize(
    ("style", "terminal", "json_lines"),
    [("auto", True, False), ("auto", False, True), ("json", True, True), ("text", False, False)],
)
def test_the_format_follows_the_terminal_unless_it_is_set(style: str, terminal: bool, json_lines: bool) -> None:
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
sys.stderr.isatty = lambda: {terminal}
from facematch_server.logs import log, set_up_logs
set_up_logs("INFO", {style!r})
log("hello", a=1)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    assert done.stderr.startswith("{") == json_lines
    assert ("\x1b" in done.stderr) == (terminal and not json_lines)
