"""Photos that end their decoder, hang or take too much: they cost themselves only."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from facematch_local.errors import ImageFormatError
from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import ImageLimits
from facematch_server.decoding import DecoderError, OutOfTimeError
from facematch_server.decoding.decoder_pool import DecoderPool
from facematch_server.decoding.limits import Allowance
from facematch_server.decoding.opening import (
    decode_for_jobs,
    lacking,
)
from facematch_server.matching.cores import Cores
from facematch_server.matching.thread_pool import InferencePool
from tests.facematch_server.decoding.pool_steps import (
    LIMITS,
    descendants,
    gone,
    misbehaving_pool,
    soon,
)
from tests.hostile_photos import progressive_scans

pytestmark = pytest.mark.skipif(lacking() is not None, reason="needs Linux")


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
