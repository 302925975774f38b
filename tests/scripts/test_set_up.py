"""The set-up of `make`: it says what it is doing, on a terminal and in a log."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.set_up import install, main, pip_command, steps

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = """\
Obtaining file:///somewhere
  Installing build dependencies: started
  Installing build dependencies: finished with status 'done'
Collecting numpy<3,>=2.0 (from -c .ci/constraints.txt (line 5))
  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl.metadata (6.6 kB)
  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl (16.6 MB)
Collecting idna
  Downloading idna-3.20-py3-none-any.whl (70 kB)
Building wheels for collected packages: facematch-local
  Building editable for facematch-local (pyproject.toml): started
Installing collected packages: numpy, idna, facematch-local
Successfully installed idna-3.20 numpy-2.4.6
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def pip(output: str, code: int = 0) -> list[str]:
    return [sys.executable, "-c", f"import sys; sys.stdout.write({output!r}); sys.exit({code})"]


def test_steps_of_pip() -> None:
    found = [step.text for step in steps(OUTPUT.splitlines(keepends=True))]
    assert found == [
        "fetching the tools of the build",
        "looking up packages: 1",
        "downloading numpy (17 MB); 17 MB so far",
        "looking up packages: 2",
        "downloading idna; 17 MB so far",
        "building facematch-local: fetching and converting the weights of the pack 'standard'",
        "installing 3 packages",
    ]


def test_a_log_gets_a_line_for_each_large_step() -> None:
    out = io.StringIO()
    assert install(pip(OUTPUT), out) == 0
    lines = out.getvalue().splitlines()
    assert lines[1] == "  downloading numpy (17 MB); 17 MB so far ..."
    assert len(lines) == 5
    assert lines[-1].startswith("  done (")


def test_a_terminal_gets_one_line_that_changes() -> None:
    out = Terminal()
    assert install(pip(OUTPUT), out) == 0
    assert out.getvalue().count("\n") == 1
    assert "looking up packages: 2" in out.getvalue()


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()])
def test_a_failure_shows_the_end_of_pips_output(out: io.StringIO) -> None:
    assert install(pip(OUTPUT + "ERROR: No matching distribution\n", code=1), out) == 1
    assert "pip failed; its last lines:" in out.getvalue()
    assert out.getvalue().endswith("ERROR: No matching distribution\n")


def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    out = io.StringIO()
    assert main([str(tmp_path / "venv")], out) == 2
    assert "needs Python 3.11 or newer" in out.getvalue()
    assert not (tmp_path / "venv").exists()


def test_the_constraints_hold_for_the_extras() -> None:
    command = pip_command(Path("python"), "dev")
    assert command[-4:] == ["-c", ".ci/constraints.txt", "-e", ".[dev]"]


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize(
    ("given", "environment", "options"),
    [
        ((), {}, []),
        (("PORT=8001", "PROFILE=observed", "NO_FACE_AS=error3"), {},
         ["--port", "8001", "--profile", "observed", "--no-face-as", "error3"]),
        # Other tools set these variables.
        ((), {"PORT": "5000", "HOST": "elsewhere"}, []),
    ],
)  # fmt: skip
def test_make_run_passes_options_on(
    given: tuple[str, ...], environment: dict[str, str], options: list[str], tmp_path: Path
) -> None:
    command = ["make", "-n", "run", f"VENV={tmp_path}", *given]
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1].split()[1:] == ["serve", *options]
