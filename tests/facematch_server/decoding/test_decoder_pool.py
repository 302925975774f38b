"""Decoding in processes: the same pixels and errors as in this one, and nothing that a photo does reaches further."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facematch_local.errors import ImageFormatError, NoContentError
from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import ImageLimits
from facematch_server.decoding import DecoderError
from facematch_server.decoding.decoder_pool import DecoderPool
from facematch_server.decoding.messages import BUFFERS
from facematch_server.decoding.opening import (
    decoder_limits,
    examine,
    lacking,
    open_decoders,
)
from facematch_server.matching.cores import Cores
from tests.facematch_server.decoding.pool_steps import (
    LIMITS,
    misbehaving_pool,
    photos,
    saved,
    soon,
)
from tests.hostile_photos import progressive_scans

pytestmark = pytest.mark.skipif(lacking() is not None, reason="needs Linux")


def test_the_same_pixels(good: DecoderPool, astronaut: NDArray[np.uint8]) -> None:
    for name, data in photos(astronaut):
        here, there = decode(data), good.decode(data, soon())
        assert np.array_equal(here.pixels, there.pixels), name
        assert (here.scale, here.format) == (there.scale, there.format), name
        assert there.pixels.flags.c_contiguous
        assert there.pixels.flags.writeable


@pytest.mark.parametrize(
    "data", [b"hello", b"\xff\xd8\xff", b"GIF89a", progressive_scans(), b"", bytes(11_000_000)], ids=range(6)
)
def test_the_same_errors(good: DecoderPool, data: bytes) -> None:
    with pytest.raises((ImageFormatError, NoContentError)) as here:
        decode(data)
    with pytest.raises((ImageFormatError, NoContentError)) as there:
        good.decode(data, soon())
    assert type(here.value) is type(there.value)
    assert str(here.value) == str(there.value)


def test_pixels_outlive_what_comes_after_them(good: DecoderPool) -> None:
    """Also more of them than a decoder has buffers, changed by their owner, and given up in any order."""
    colours = list(range(0, 250, 10))
    data = [saved(Image.new("L", (64, 64), colour), "PNG") for colour in colours]
    kept = [good.decode(photo, soon()) for photo in data]
    assert len(kept) > 3 * BUFFERS
    for photo, colour in zip(kept, colours, strict=True):
        assert (photo.pixels == colour).all()
        photo.pixels[:] = 255
    del kept[::2]
    again = [good.decode(photo, soon()) for photo in data]
    assert all((photo.pixels == colour).all() for photo, colour in zip(again, colours, strict=True))
    assert all((photo.pixels == 255).all() for photo in kept)


def test_many_threads(good: DecoderPool, astronaut: NDArray[np.uint8]) -> None:
    given = [data for name, data in photos(astronaut[:64, :64]) if "large" not in name and "reduced" not in name]
    expected = [decode(data).pixels for data in given]
    with ThreadPoolExecutor(8) as threads:
        for index, photo in enumerate(threads.map(lambda data: good.decode(data, soon()), given * 4)):
            assert np.array_equal(photo.pixels, expected[index % len(expected)])
    assert good.alive <= 6
    assert good.ended == 0


def test_large_photos_take_turns(bad: DecoderPool) -> None:
    begun = time.monotonic()
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: bad.decode(b"TURN", soon()), range(3)))
    assert time.monotonic() - begun >= 0.45


def test_decoders_have_nothing_of_the_service(bad: DecoderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """No listening socket, no database, no file, no settings."""
    with socket.create_server(("127.0.0.1", 0)) as listening, Path(__file__).open() as file:
        os.set_inheritable(listening.fileno(), True)
        os.set_inheritable(file.fileno(), True)
        monkeypatch.setenv("FACEMATCH_DATABASE_URL", "sqlite:///secret")
        pool = misbehaving_pool()
        told = pool.decode(b"FILES", soon()).pixels.tobytes().decode().strip().splitlines()
        pool.close()
    assert told[:3] == [os.devnull] * 3
    assert len(told) == 4, told
    assert told[3].startswith("socket:")


def test_a_fork_server_that_does_not_start_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    pool = DecoderPool(LIMITS, 1, 1, threading.Lock(), lambda *_: [sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(DecoderError, match="FACEMATCH_DECODE_PROCESSES=0"):
        pool.wait_until_ready()
    pool.close()


def test_no_processes_where_none_are_asked_for_or_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_decoders(0, ImageLimits(), Cores(1), 1) is None
    monkeypatch.setattr(sys, "platform", "win32")
    assert open_decoders(None, ImageLimits(), Cores(1), 1) is None
    assert "win32" in (lacking() or "")


def test_the_doctor_says_which_way_it_is() -> None:
    told, wrong = examine("")
    assert (told, wrong) == ("photos are decoded in separate processes", False)
    told, wrong = examine("0")
    assert "FACEMATCH_DECODE_PROCESSES is 0" in told
    assert not wrong


ELSEWHERE = """
import asyncio, fastapi, platform, subprocess, sys, uvicorn  # those of this system
sys.path[:0] = {path!r}
sys.modules["fcntl"] = sys.modules["resource"] = None  # as on Windows
sys.platform = "win32"
from facematch_server.decoding.opening import decode_for_jobs, examine, open_decoders
from facematch_server.matching.cores import Cores
from facematch_local.imaging.photo import ImageLimits
import facematch_server.app
assert open_decoders(None, ImageLimits(), Cores(1), 1) is None
decode = decode_for_jobs(None, ImageLimits(), Cores(1))
sys.platform = "linux"  # numpy and Pillow are, too
print(decode(open(sys.argv[1], "rb").read()).pixels.shape)
"""


@pytest.mark.slow
def test_a_system_without_forks_decodes_in_its_threads(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(astronaut_jpeg)
    command = [sys.executable, "-c", ELSEWHERE.format(path=sys.path), str(photo)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert done.stdout == "(512, 512, 3)\n", done.stderr


def test_what_takes_too_long_is_four_times_what_photos_take() -> None:
    limits = decoder_limits(ImageLimits())
    assert limits.ordinary.cpu_seconds == pytest.approx(3.84)
    assert limits.large.cpu_seconds == pytest.approx(16)
    assert limits.large.memory_bytes > 18 * 50_000_000 > limits.ordinary.memory_bytes
