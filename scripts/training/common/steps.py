"""Running the programs of a training one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from scripts.training.common.repository import ROOT


def step(module: str, *arguments: object) -> None:
    """Run a module of this package and stop where it fails.

    Args:
        module: its name below `scripts.training`.
        arguments: its command line.

    Raises:
        subprocess.CalledProcessError: the program failed.
    """
    given = [str(argument) for argument in arguments]
    print("->", module, *given, flush=True)
    command = [sys.executable, "-m", f"scripts.training.{module}", *given]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    subprocess.run(command, check=True, env=environment)  # noqa: S603 - our own programs


def option(name: str, value: object | None) -> tuple[object, ...]:
    """`--name value` for `step`, nothing where the value is None."""
    return () if value is None else (f"--{name}", value)


def seal(pack: Path) -> None:
    """Write the checksums of a pack's files into its manifest."""
    step("seal_pack", pack)


def reference_of(models: Path) -> Path:
    """The reference detector, which serves for measuring only.

    Raises:
        FileNotFoundError: the folder has none.
    """
    found = sorted((models / "reference" / "det_scrfd").glob("*.onnx"))
    if not found:
        raise FileNotFoundError(f"{models / 'reference' / 'det_scrfd'}: has no ONNX file")
    return found[0]
