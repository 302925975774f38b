"""Providers that are installed here: results, concurrency, and what they leave on the disk and the network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.errors import ProviderError
from facematch_local.matcher import FaceMatcher
from facematch_local.packs import SessionSettings
from facematch_local.providers import PROVIDERS, ProviderSettings, installed

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_inference")]

OTHERS = [name for name in PROVIDERS if name != "cpu"]
CODE = """
import sys
from facematch_local import FaceMatcher
from facematch_local.packs import SessionSettings
from facematch_local.providers import ProviderSettings
settings = SessionSettings(providers=ProviderSettings.parse(sys.argv[2]))
FaceMatcher.open(sys.argv[1], sessions=settings)
"""


def open_with(pack: Path, name: str, cache: Path | None = None) -> FaceMatcher:
    """A matcher on a provider; skips where the provider is not installed or does not start."""
    if name not in installed().names:
        pytest.skip(f"{name} is not in {installed().describe()}")
    settings = ProviderSettings((name,), cache, concurrent_runs=2)
    try:
        return FaceMatcher.open(pack, sessions=SessionSettings(providers=settings))
    except ProviderError as error:
        if PROVIDERS[name].needs and ("does not start" in str(error) or "does not load" in str(error)):
            pytest.skip(str(error))  # without its hardware
        raise


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest, pack_path: Path) -> FaceMatcher:
    return open_with(pack_path, request.param)


@pytest.fixture
def on_cpu(pack_path: Path) -> FaceMatcher:
    return FaceMatcher.open(pack_path)


def photos_of(group_photo: NDArray[np.uint8], astronaut: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """People in photos of many sizes, one turned, one without a face."""
    import cv2

    sides = (group_photo, astronaut, group_photo[150:500, 400:650], astronaut[:300, 100:380], astronaut[::2, ::2])
    blank = np.full((200, 310, 3), 90, np.uint8)
    turned = np.rot90(astronaut)
    larger = cv2.resize(astronaut, (1500, 1500)).astype(np.uint8, copy=False)
    return [np.ascontiguousarray(photo) for photo in (*sides, turned, blank, larger)]


def test_results_are_those_of_the_cpu(
    other: FaceMatcher, on_cpu: FaceMatcher, group_photo: NDArray[np.uint8], astronaut: NDArray[np.uint8]
) -> None:
    photos = photos_of(group_photo, astronaut)
    for first in photos:
        expected, result = (matcher.match(first, photos[1], "portrait") for matcher in (on_cpu, other))
        assert abs(result.percent - expected.percent) < 0.5
        assert (result.verdict, result.warnings) == (expected.verdict, expected.warnings)
        for ours, theirs in zip(result.images, expected.images, strict=True):
            assert len(ours.faces) == len(theirs.faces)
            for face, reference in zip(ours.faces, theirs.faces, strict=True):
                assert float(np.abs(face.box - reference.box).max()) < 1.0
                assert abs(face.score - reference.score) < 0.01


def test_threads_get_the_results_of_one_thread(
    other: FaceMatcher, group_photo: NDArray[np.uint8], astronaut: NDArray[np.uint8]
) -> None:
    photos = photos_of(group_photo, astronaut)
    alone = [other.match(photo, photos[1], "portrait").percent for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda photo: other.match(photo, photos[1], "portrait").percent, photos * 3))
    np.testing.assert_allclose(together, alone * 3, atol=0.01)


@pytest.mark.parametrize("name", OTHERS)
def test_files_and_connections(name: str, pack_path: Path, tmp_path: Path) -> None:
    """Without a cache folder nothing is written, and nothing connects."""
    open_with(pack_path, name)
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace")
    trace, home = tmp_path / "trace", tmp_path / "home"
    home.mkdir()
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    environment |= {"PYTHONDONTWRITEBYTECODE": "1"}
    command = [strace, "-f", "-e", "trace=connect,sendto,openat,creat,mkdir,rename", "-o", str(trace)]
    command += [sys.executable, "-c", CODE, str(pack_path), name]
    subprocess.run(command, env=environment, cwd=home, check=True, timeout=300)  # noqa: S603
    lines = trace.read_text().splitlines()
    assert lines
    assert [line for line in lines if "AF_INET" in line] == []
    written = [line for line in lines if "O_CREAT" in line or "mkdir" in line or "creat(" in line]
    assert [line for line in written if "/dev/" not in line and "/proc/" not in line] == []
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize("name", [name for name in OTHERS if PROVIDERS[name].keeps_compiled])
def test_compiled_models_are_kept_in_the_given_folder(name: str, pack_path: Path, tmp_path: Path) -> None:
    first = open_with(pack_path, name, tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert kept
    again = open_with(pack_path, name, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == kept
    assert first.pack.execution.provider == again.pack.execution.provider == name
