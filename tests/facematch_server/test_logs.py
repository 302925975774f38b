"""What the service's own logs leave out; each in a process of its own, since logging is set up once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import sys
sys.path[:0] = {path!r}
from facematch_server.logs import set_up_logs
from facematch_server.store.schema import upgrade
set_up_logs({level!r}, "json")
upgrade({database!r})
"""


@pytest.mark.parametrize(("level", "told"), [("INFO", False), ("DEBUG", True)])
def test_making_the_tables_is_told_at_debug_only(level: str, told: bool, tmp_path: Path) -> None:
    code = CODE.format(path=sys.path, level=level, database=f"sqlite:///{tmp_path}/new.db")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    assert ("alembic" in done.stderr) == told, done.stderr
    assert told or not done.stderr
    assert not done.stdout
