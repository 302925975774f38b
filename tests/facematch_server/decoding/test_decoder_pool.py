"""Decoding in processes: the same pixels and errors as in this one, and nothing that a photo does reaches further."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facematch_local.errors import ImageFormatError, NoContentError
from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import ImageLimits
from facematch_server.decoding import DecoderError, OutOfTimeError, forkserver
from facematch_server.decoding.decoder_pool import DecoderPool
from facematch_server.decoding.limits import Allowance
from facematch_server.decoding.messages import BUFFER_BYTES, BUFFERS
from facematch_server.decoding.opening import (
    _ORDINARY_PIXELS,
    decode_for_jobs,
    decoder_limits,
    examine,
    lacking,
    open_decoders,
)
from facematch_server.matching.cores import Cores
from facematch_server.matching.thread_pool import InferencePool
from tests.hostile_photos import progressive_scans

pytestmark = pytest.mark.skipif(lacking() is not None, reason="needs Linux")

MISBEHAVING = Path(__file__).with_name("misbehaving.py")
LIMITS = replace(decoder_limits(ImageLimits()), ordinary=Allowance(300 << 20, 0.5))


@pytest.fixture(scope="module")
def good() -> Iterator[DecoderPool]:
    """Decoders as they are."""
    pool = open_decoders(2, ImageLimits(), Cores(2), 2)
    assert pool is not None
    pool.wait_until_ready()
    yield pool
    pool.close()


def misbehaving_pool(keep: int = 1, most: int = 3) -> DecoderPool:
    command = partial(forkserver.command, program=(str(MISBEHAVING),))
    pool = DecoderPool(LIMITS, keep, most, threading.Lock(), command)
    pool.wait_until_ready()
    return pool


@pytest.fixture(scope="module")
def bad() -> Iterator[DecoderPool]:
    """Decoders that obey commands in photos; one is kept."""
    pool = misbehaving_pool()
    yield pool
    pool.close()


def soon(seconds: float = 20) -> float:
    return time.monotonic() + seconds


def descendants(pid: int) -> set[int]:
    psutil = pytest.importorskip("psutil")
    return {child.pid for child in psutil.Process(pid).children(recursive=True)}


def gone(pids: set[int], seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


# --- good photos ----------------------------------------------------------------------------------


def photos(pixels: NDArray[np.uint8]) -> Iterator[tuple[str, bytes]]:
    """A photo of every format, mode and orientation with its own code path."""
    decode(saved(Image.new("RGB", (8, 8)), "PNG"))  # registers HEIF
    small = Image.fromarray(pixels[:200, :300, ::-1].copy())
    for format, options in (
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("MPO", {"save_all": True, "append_images": [small]}),
        ("PNG", {}),
        ("WEBP", {}),
        ("BMP", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("GIF", {}),
        ("HEIF", {}),
        ("AVIF", {}),
    ):
        yield f"{format} {options}", saved(small, format, **options)
    yield "CMYK", saved(small.convert("CMYK"), "JPEG")
    for mode in ("L", "P", "RGBA", "LA", "1", "I;16"):
        image = Image.fromarray(np.asarray(small.convert("L")).astype(np.uint16) * 257) if mode == "I;16" else small
        yield mode, saved(image if mode == "I;16" else image.convert(mode), "PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    yield "turned", saved(small, "JPEG", exif=exif)
    yield "reduced", saved(small.resize((4800, 320)), "JPEG")
    grey = small.convert("L")
    assert BUFFER_BYTES < 3 * 2500 * 2200
    yield "larger than a buffer", saved(grey.resize((2500, 2200), Image.Resampling.NEAREST), "PNG", compress_level=1)
    assert _ORDINARY_PIXELS < 4200 * 3000
    yield "large", saved(grey.resize((4200, 3000), Image.Resampling.NEAREST), "PNG", compress_level=1)


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


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
    assert time.monotonic() - begun >= 0.9


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


# --- bad ones -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("photo", "message", "logged"),
    [
        (b"CRASH", "its decoder ended", "decoder ended by signal 11"),
        (b"EXIT", "its decoder ended", "decoder ended with exit code 3"),
        (b"RAISE", "its decoder ended", "decoder ended with exit code 1"),
        (b"EAT", "its decoder ended", "decoder ended with exit code 1"),
        (b"BURN", "takes too long", "decoder ended: the photo took too much CPU time"),
        (b"BIG", "its decoder ended", "decoder ended: it broke the protocol"),
    ],
)
def test_a_photo_that_ends_its_decoder_costs_itself_only(
    bad: DecoderPool, photo: bytes, message: str, logged: str, astronaut_jpeg: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "facematch")
    begun, ended = time.monotonic(), bad.ended
    with pytest.raises(ImageFormatError, match=message):
        bad.decode(photo, soon(60))
    assert time.monotonic() - begun < 10
    assert logged in caplog.messages
    assert bad.ended == ended + 1
    assert np.array_equal(bad.decode(astronaut_jpeg, soon()).pixels, decode(astronaut_jpeg).pixels)
    assert bad.alive == 1


def test_a_photo_may_not_take_more_memory_than_photos_do() -> None:
    """A real one of 49 megapixels, whose coefficients alone take 98 MB."""
    tight = replace(LIMITS, ordinary=Allowance(60 << 20, 10), large=Allowance(60 << 20, 10))
    pool = DecoderPool(tight, 1, 1, threading.Lock())
    pool.wait_until_ready()
    data = progressive_scans(7000, 7000, 2)
    assert decode(data).pixels.shape == (1750, 1750, 3)
    with pytest.raises(ImageFormatError):
        pool.decode(data, soon())
    assert pool.decode(progressive_scans(64, 64, 2), soon()).pixels.shape == (64, 64, 3)
    pool.close()


def test_a_photo_that_hangs_is_ended_at_the_deadline(bad: DecoderPool, astronaut_jpeg: bytes) -> None:
    begun = time.monotonic()
    with pytest.raises(OutOfTimeError):
        bad.decode(b"HANG", soon(0.5))
    assert 0.45 < time.monotonic() - begun < 2.0
    assert not descendants(bad.server_pid), "the work is over"
    assert bad.decode(astronaut_jpeg, soon()).width == 512


def test_without_a_decoder_to_spare_the_deadline_holds(astronaut_jpeg: bytes) -> None:
    pool = misbehaving_pool(most=1)
    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(pool.decode, b"HANG", soon(0.8))
        time.sleep(0.1)
        with pytest.raises(OutOfTimeError):
            pool.decode(astronaut_jpeg, soon(0.2))
        with pytest.raises(OutOfTimeError):
            hanging.result()
    pool.close()


def test_slow_photos_step_aside(bad: DecoderPool) -> None:
    told = []

    @contextmanager
    def aside() -> Iterator[None]:
        told.append("aside")
        yield
        told.append("back")

    bad.decode(b"SLOW", soon(), aside)
    assert told == ["aside", "back"]
    bad.decode(b"TURN", soon(), aside)
    assert len(told) == 4
    with pytest.raises(ImageFormatError):
        bad.decode(b"quick", soon(), aside)
    assert len(told) == 4


def test_a_fork_server_that_ends_is_started_anew(bad: DecoderPool, astronaut_jpeg: bytes) -> None:
    assert bad.decode(astronaut_jpeg, soon()).width == 512
    os.kill(bad.server_pid, signal.SIGKILL)
    assert bad.decode(astronaut_jpeg, soon()).width == 512


def test_closing_ends_what_hangs() -> None:
    pool = misbehaving_pool()
    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(pool.decode, b"HANG", None)
        time.sleep(0.2)
        pids = descendants(pool.server_pid) | {pool.server_pid}
        assert len(pids) == 2
        begun = time.monotonic()
        pool.close()
        with pytest.raises(DecoderError):
            hanging.result()
        assert time.monotonic() - begun < 2
    with pytest.raises(DecoderError):
        pool.decode(b"any", soon())
    assert gone(pids)


def test_a_job_that_waits_for_a_slow_photo_leaves_its_core_to_others(bad: DecoderPool) -> None:
    cores = Cores(1)
    busy: list[int] = []
    jobs = InferencePool(cores, threads=1, queue_size=1)
    slow = decode_for_jobs(bad, ImageLimits(), cores)

    async def scenario() -> None:
        async def request(work: Callable[[], object]) -> None:
            with jobs.slot() as slot:
                await slot.run(work, soon())

        waiting = asyncio.create_task(request(lambda: (slow(b"SLOW"), busy.append(cores.busy))))
        while not cores.busy:
            await asyncio.sleep(0.005)
        while cores.busy:
            await asyncio.sleep(0.005)
        assert busy == []  # in the middle of it
        await waiting

    asyncio.run(scenario())
    jobs.close()
    assert busy == [1]
    assert cores.busy == 0


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
