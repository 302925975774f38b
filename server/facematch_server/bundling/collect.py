"""Collects the wheels of a bundle with pip, and reports its steps."""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from facematch_local.errors import FacematchError

# Takes a step in words. The part before a colon names the stage, the rest changes within it.
Tell = Callable[[str], None]

_KEPT_LINES: Final = 20
_DOWNLOADING: Final = re.compile(r"\s*Downloading (?P<name>[^-\s]+)-\S+?\.(?:whl|tar\.gz)(?: \((?P<size>[^)]+)\))?$")


class BundleError(FacematchError):
    """The bundle cannot be built; the message says why.

    Attributes:
        output: the last lines of pip, if pip failed; else "".
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


def run_pip(command: Sequence[str], tell: Tell) -> None:
    """Run pip and tell its steps.

    Raises:
        BundleError: pip failed.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    last: deque[str] = deque(maxlen=_KEPT_LINES)
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment
    ) as process:
        for step in steps(_noted(process.stdout or (), last)):
            tell(step)
    if process.returncode:
        raise BundleError("pip could not collect the wheels; its last lines are above", "".join(last))


def steps(lines: Iterable[str]) -> Iterator[str]:
    """The steps that pip's output reports."""
    found = 0
    for line in lines:
        if line.startswith("Collecting "):
            found += 1
            yield f"collecting wheels: {found}"
        elif (match := _DOWNLOADING.match(line.rstrip())) is not None:
            size = f" ({match['size']})" if match["size"] else ""
            yield f"collecting wheels: {found}, downloading {match['name']}{size}"
        elif line.lstrip().startswith("Building wheel for"):
            name = line.split()[3]
            yield f"building the wheel of {name}"


def _noted(lines: Iterable[str], last: deque[str]) -> Iterator[str]:
    for line in lines:
        last.append(line)
        yield line
