"""Collecting wheels: the steps of pip in words, and its own words if it fails."""

from __future__ import annotations

import sys

import pytest

from facematch_server.bundling.collect import BundleError, run_pip, steps

OUTPUT = """\
Processing ./checkout
  Installing build dependencies: started
Collecting numpy<3,>=2.0
  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl.metadata (6.6 kB)
  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl (16.6 MB)
Collecting idna
Building wheels for collected packages: facematch-local
  Building wheel for facematch-local (pyproject.toml): started
"""


def pip(code: int) -> list[str]:
    return [sys.executable, "-c", f"import sys; sys.stdout.write({OUTPUT!r}); sys.exit({code})"]


def test_steps() -> None:
    told: list[str] = []
    run_pip(pip(0), told.append)
    assert told == [
        "collecting wheels: 1",
        "collecting wheels: 1, downloading numpy (16.6 MB)",
        "collecting wheels: 2",
        "building the wheel of facematch-local",
    ]
    assert told == list(steps(OUTPUT.splitlines()))


def test_a_failure_quotes_the_end_of_pips_output() -> None:
    with pytest.raises(BundleError, match="pip could not collect the wheels") as failed:
        run_pip(pip(1), lambda _: None)
    assert failed.value.output == OUTPUT
