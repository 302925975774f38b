"""Running the scripts of a training one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def step(script: Path, *arguments: object) -> None:
    """Run one script and stop where it fails."""
    print("->", script.name, *arguments, flush=True)
    command = [sys.executable, str(script), *map(str, arguments)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})  # noqa: S603 - our own scripts
