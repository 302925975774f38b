"""Creates the virtual environment of `make`, installs the checkout into it, and says what it is doing.

`python3 scripts/set_up.py .venv --extras dev`. It needs nothing but Python, since it runs before anything is installed.
On a terminal one line shows the present step; elsewhere each step is a line. If pip fails, its last lines follow.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import threading
import time
import venv
from pathlib import Path
from typing import Iterable, Iterator, TextIO  # noqa: UP035

ROOT = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)
CONSTRAINTS = ".ci/constraints.txt"
KEPT_LINES = 30
# Smaller files are not worth a line of a log.
LARGE_MEGABYTES = 5.0

_DOWNLOADING = re.compile(r"\s*Downloading (?P<file>[^\s/]+)(?: \((?P<number>[\d.]+) (?P<unit>[kMG]B)\))?")
_MEGABYTES = {"kB": 0.001, "MB": 1.0, "GB": 1000.0}


class Step:
    """The step that a line of pip's output begins.

    Attributes:
        text: the step in words.
        large: whether the step is worth a line in a log.
    """

    def __init__(self, text: str, large: bool = True) -> None:
        self.text = text
        self.large = large


def steps(lines: Iterable[str]) -> Iterator[Step]:
    """The steps that pip's output reports."""
    packages = 0
    megabytes = 0.0
    for line in lines:
        if line.startswith(("Collecting ", "Requirement already satisfied:")):
            packages += 1
            yield Step(f"looking up packages: {packages}", large=False)
            continue
        found = _DOWNLOADING.match(line)
        if found and not found["file"].endswith(".metadata"):
            size = float(found["number"] or 0) * _MEGABYTES.get(found["unit"] or "", 0)
            megabytes += size
            name = found["file"].split("-")[0]
            shown = f"downloading {name} ({size:.0f} MB)" if size >= 1 else f"downloading {name}"
            yield Step(f"{shown}; {megabytes:.0f} MB so far", large=size >= LARGE_MEGABYTES)
        elif "Installing build dependencies: started" in line:
            yield Step("fetching the tools of the build")
        elif re.match(r"\s*Building (editable|wheel) for facematch.local .*: started", line):
            yield Step("building facematch-local: fetching and converting the weights of the pack 'standard'")
        elif line.startswith("Installing collected packages:"):
            yield Step(f"installing {line.count(',') + 1} packages")


class Screen:
    """Shows steps on a stream: one line that changes on a terminal, else a line for each large step."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._started = time.monotonic()
        self._text = ""
        self._over = threading.Event()
        self._ticking = threading.Thread(target=self._tick, daemon=True)
        if self._terminal:
            self._ticking.start()

    def show(self, step: Step) -> None:
        """Show a step."""
        if self._terminal:
            self._text = step.text
            self._draw()
        elif step.large and step.text != self._text:
            self._text = step.text
            self._out.write(f"  {step.text} ...\n")
            self._out.flush()

    def end(self, said: str) -> None:
        """Replace the changing line by a last one."""
        self._over.set()
        if self._terminal:
            self._ticking.join()
            self._out.write("\r\x1b[K")
        self._out.write(f"  {said} ({self._seconds():.0f} s)\n")
        self._out.flush()

    def _tick(self) -> None:
        while not self._over.wait(1.0):
            self._draw()

    def _draw(self) -> None:
        line = f"  {self._seconds():3.0f} s  {self._text} ..."
        self._out.write("\r\x1b[K" + line[: _columns() - 1])
        self._out.flush()

    def _seconds(self) -> float:
        return time.monotonic() - self._started


def install(command: list[str], out: TextIO) -> int:
    """Run pip and show its steps on `out`.

    Returns:
        The exit code of pip; unless it is 0, pip's last lines are printed.
    """
    environment = dict(os.environ, PYTHONUNBUFFERED="1")
    kept: list[str] = []
    screen = Screen(out)
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment
    )
    assert process.stdout is not None

    def read() -> Iterator[str]:
        for line in process.stdout or ():
            kept.append(line)
            del kept[:-KEPT_LINES]
            yield line

    for step in steps(read()):
        screen.show(step)
    code = process.wait()
    screen.end("done" if code == 0 else "pip failed; its last lines:")
    if code:
        out.writelines(kept)
    return code


def pip_command(python: Path, extras: str) -> list[str]:
    """The command that installs the checkout."""
    target = f".[{extras}]" if extras else "."
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    return [str(python), "-m", "pip", "install", *options, "-c", CONSTRAINTS, "-e", target]


def main(arguments: list[str] | None = None, out: TextIO = sys.stdout) -> int:
    """Set up; the exit code is 2 if this Python cannot create the environment, else pip's."""
    parser = argparse.ArgumentParser(description="Create the virtual environment and install this checkout.")
    parser.add_argument("venv", type=Path)
    parser.add_argument("--extras", default="", help="optional dependencies, comma separated")
    options = parser.parse_args(arguments)
    if sys.version_info < OLDEST:
        needed, found = ".".join(map(str, OLDEST)), ".".join(map(str, sys.version_info[:2]))
        out.write(f"facematch-local needs Python {needed} or newer; {sys.executable} is {found}. ")
        out.write(f"Name another: make run PYTHON=python{needed}\n")
        return 2
    folder = options.venv.absolute() / ("Scripts" if os.name == "nt" else "bin")
    if not (folder / "activate").exists():
        out.write(f"Creating the virtual environment {options.venv}\n")
        out.flush()
        try:
            venv.create(options.venv, with_pip=True, symlinks=os.name != "nt")
        except subprocess.CalledProcessError:
            out.write("Python cannot create virtual environments with pip here; install the package python3-venv\n")
            return 2
    what = f"with the extras {options.extras} " if options.extras else ""
    out.write(f"Installing facematch-local {what}into {options.venv}; the first time takes one to three minutes\n")
    out.flush()
    os.chdir(ROOT)
    return install(pip_command(folder / "python", options.extras), out)


def _columns() -> int:
    try:
        return os.get_terminal_size().columns
    except OSError:
        return 80


if __name__ == "__main__":
    sys.exit(main())
