"""Every sample gives its code through the whole pipeline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facematch_local.codes import ErrorCode, WarningCode
from facematch_local.policy import DEFAULT_POLICY
from facematch_local.synthetic import samples


@pytest.fixture(scope="module")
def files(samples_drawn_once: None) -> dict[str, bytes]:
    return dict(samples.encoded())


@pytest.mark.parametrize("sample", samples.SAMPLES, ids=lambda sample: sample.name.replace(" ", "-"))
def test_it_gives_its_code(sample: samples.Sample, files: dict[str, bytes], matcher: Any) -> None:
    error, warning, words = samples.outcome(sample, matcher, files)
    assert (error, warning) == (sample.error, sample.warning), words


def test_who_is_who(files: dict[str, bytes], matcher: Any) -> None:
    """A covered or blurred face costs percent; nobody is taken for somebody else, and good photos match."""
    for sample in samples.SAMPLES:
        if sample.same_person is False or sample.name in ("card and portrait", "two portraits"):
            percent = matcher.match(files[sample.image1], files[sample.image2], sample.type1).percent
            assert (percent > 75) if sample.same_person else (percent < 65), sample.name


def test_every_code_is_there_or_is_said_not_to_be() -> None:
    named = {f"errorCode {int(sample.error)}" for sample in samples.SAMPLES}
    named |= {f"invalidCode {int(sample.warning)}" for sample in samples.SAMPLES if sample.warning is not None}
    named |= set(samples.WITHOUT_SAMPLE)
    assert named == {f"errorCode {int(code)}" for code in ErrorCode} | {
        f"invalidCode {int(code)}" for code in WarningCode
    }


def test_the_command(facematch: Callable[..., Any], tmp_path: Path, files: dict[str, bytes]) -> None:
    folder = tmp_path / "new" / "samples"
    assert facematch("samples", folder).code == 0
    index = json.loads((folder / "index.json").read_text("utf-8"))
    named = {pair[image] for pair in index["pairs"] for image in ("image1", "image2")}
    assert {path.name for path in folder.iterdir()} == named | {"index.json", "README.md"}
    assert all((folder / name).read_bytes() == files[name] for name in named)


@pytest.mark.slow
@pytest.mark.usefixtures("samples_drawn_once")
def test_check_goes_by_the_policy(
    facematch: Callable[..., Any], tmp_path: Path, pack_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = tmp_path / "policy.toml"
    strict.write_text(re.sub(r"min = 0\.05$", "min = 9", DEFAULT_POLICY.read_text("utf-8"), flags=re.M), "utf-8")
    monkeypatch.setenv("FACEMATCH_POLICY", str(strict))
    done = facematch("samples", tmp_path / "samples", "--check", "--pack", pack_path)
    assert done.code == 1  # every portrait is too near the margin now
    assert "(expected" in done.out
    strict.write_text("no policy", "utf-8")
    assert facematch("samples", tmp_path / "samples", "--check", "--pack", pack_path).code == 2


def test_a_folder_that_cannot_be(facematch: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = facematch("samples", tmp_path / "file")
    assert done.code == 2
    assert "file" in done.err
