"""Run the tests of a module against its mutants, in a copy of the tree and in forked processes.

A fork starts with the libraries imported, which takes longer than most modules' tests; it imports the product's own
modules anew, so it sees the mutant.
"""

from __future__ import annotations

import compileall
import importlib
import os
import py_compile
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Third-party libraries that many tests import. None of them starts a thread when it is imported.
_PRELOADED: Final = (
    "numpy",
    "cv2",
    "onnxruntime",
    "PIL.Image",
    "pydantic",
    "pydantic_settings",
    "sqlalchemy.orm",
    "alembic.command",
    "fastapi",
    "starlette.testclient",
    "httpx",
    "anyio",
    "uvicorn",
    "pytest",
    "hypothesis",
    "skimage.data",
)
# Ignored by Git, needed by tests.
_BUILT: Final = ("models/standard/*.onnx",)
# Plugins that the tests of single modules do without, and that take longer to start than those tests.
_WITHOUT: Final = ("xdist", "cacheprovider", "schemathesis", "pytest_cov")
_FLAGS: Final = ("-q", "-x", "--hypothesis-seed=0", "--timeout=0", *(f"-pno:{name}" for name in _WITHOUT))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the tests ended.

    Attributes:
        name: survived (all passed), killed (a test failed, or could not even be imported), or timeout.
        seconds: that they took.
        output: the last lines of pytest's output.
    """

    name: str
    seconds: float
    output: str


def copy_tree(root: Path, copy: Path) -> None:
    """Copy the files of a checkout that Git tracks or would track, and built files that tests need.

    Bytecode is compiled once, checked by hash: a mutant may have the size and the time of the original.
    """
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    built = [str(path.relative_to(root)) for pattern in _BUILT for path in root.glob(pattern)]
    for name in [*filter(None, listed.split("\0")), *built]:
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)
    # Tests find labelled photos beside the checkout.
    if (root.parent / "shared").is_dir():
        (copy.parent / "shared").symlink_to((root.parent / "shared").resolve())
    for package in ("facematch_local", "server"):
        checked = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(copy / package, quiet=2, invalidation_mode=checked)


def enter(copy: Path) -> None:
    """Make the copy this process's working folder and the first place of its imports, and import the libraries.

    Raises:
        RuntimeError: a module of the product is imported already, so a fork would not see a mutant of it.
    """
    if early := sorted(name for name in sys.modules if name.startswith("facematch_")):
        raise RuntimeError(f"imported before the mutation: {', '.join(early)}")
    paths = [str(copy), str(copy / "server")]
    sys.path[:0] = paths
    sys.dont_write_bytecode = True
    os.environ |= {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    os.chdir(copy)
    for name in _PRELOADED:
        importlib.import_module(name)


@contextmanager
def mutated(path: Path, source: str) -> Iterator[None]:
    """The file with another source; afterwards it is as before."""
    original = path.read_bytes()
    path.write_text(source, "utf-8")
    try:
        yield
    finally:
        path.write_bytes(original)


def run_tests(tests: Sequence[str], timeout: float, output: Path) -> Outcome:
    """Run pytest on these files or folders, in this order, in a fork, up to the first failure.

    Args:
        tests: paths from the working folder.
        timeout: seconds after which the fork and its children are killed.
        output: file for what pytest prints.
    """
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _run_forked(tests, output)
    status = _ended(child, started + timeout)
    seconds = time.monotonic() - started
    passed = status is not None and os.waitstatus_to_exitcode(status) == 0
    name = "survived" if passed else "timeout" if status is None else "killed"
    return Outcome(name, seconds, output.read_text("utf-8", "replace")[-2000:] if output.is_file() else "")


def _run_forked(tests: Sequence[str], output: Path) -> None:
    """Never returns: what follows in the parent's code must not run twice."""
    code = 3
    try:
        os.setsid()
        stream = os.open(output, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        for standard in (1, 2):
            os.dup2(stream, standard)
        import pytest

        # One after the other: given a file and its folder at once, pytest takes the folder's order.
        code = next((code for test in tests if (code := int(pytest.main([*_FLAGS, test])))), 0)
        sys.stdout.flush()
    finally:
        os._exit(code)


def _ended(child: int, deadline: float) -> int | None:
    """Wait status of the child, None if it was killed at the deadline. Its process group is ended in both cases."""
    status: int | None = None
    while status is None and time.monotonic() < deadline:
        done, seen = os.waitpid(child, os.WNOHANG)
        if done:
            status = seen
        else:
            time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if status is None:
        os.waitpid(child, 0)
    return status
