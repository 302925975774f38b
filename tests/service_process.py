"""The service as a separate process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CODE = "import sys; from facematch_server import run; from facematch_server.settings import Settings; "


@dataclass
class Process:
    """A service process."""

    popen: subprocess.Popen[str]
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)

    def wait_for(self, pattern: str, lines: list[str]) -> re.Match[str]:
        """Wait for the first match in its output."""
        for _ in range(3000):
            if found := re.search(pattern, "".join(lines)):
                return found
            if self.popen.poll() is not None:
                time.sleep(0.2)  # its last lines
                found = re.search(pattern, "".join(lines))
                assert found, (pattern, self.out, self.err)
                return found
            time.sleep(0.02)
        raise AssertionError((pattern, self.out, self.err))

    @property
    def ports(self) -> list[int]:
        """Ports it says it listens on."""
        self.wait_for(r"listening", self.err)
        time.sleep(0.2)
        return [int(port) for port in re.findall(r'"address": "[^"]*:(\d+)"', "".join(self.err))]


@contextmanager
def launching(pack_path: Path, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """`launch(PORT=8000)`: a process with these FACEMATCH_ options."""
    processes = []

    def launch(**options: object) -> Process:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEMATCH_")}
        given = {"PACK": pack_path, "DATA_DIR": tmp_path, "PORT": 0, **options}
        environment |= {f"FACEMATCH_{name}": str(value) for name, value in given.items()}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        popen = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", CODE + "sys.exit(run(Settings()))"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        process = Process(popen)
        for stream, lines in ((popen.stdout, process.out), (popen.stderr, process.err)):
            threading.Thread(target=lambda s=stream, kept=lines: kept.extend(s), daemon=True).start()
        processes.append(popen)
        return process

    try:
        yield launch
    finally:
        for popen in processes:
            popen.kill()
            popen.wait()
