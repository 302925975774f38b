"""Builds the decoders that the settings and the system allow."""

from __future__ import annotations

import base64
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from facematch_local.errors import FacematchError
from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import ImageLimits, Photo
from facematch_server.decoding.errors import DecoderError, OutOfTimeError
from facematch_server.decoding.limits import Allowance, DecoderLimits
from facematch_server.errors import BUSY, ServiceError
from facematch_server.matching.cores import Cores
from facematch_server.matching.lanes import Job
from facematch_server.matching.pool import current_job

if TYPE_CHECKING:
    from facematch_server.decoding.pool import DecoderPool
    from facematch_server.decoding.processes import Command

# Memory of unpacking: the most for each pixel, see `docs/operating.md`, and for the file and the libraries.
_BYTES_PER_PIXEL: Final = 18
_BYTES_BESIDE: Final = 128 << 20
# Four times what the slowest format took (HEIC, 80 ns a pixel).
_CPU_SECONDS_PER_PIXEL: Final = 320e-9
# Larger photos need the lock for large photos, see `facematch_local.imaging.decode`.
_ORDINARY_PIXELS: Final = 12_000_000

# A white pixel.
_TINY: Final = base64.b64decode("Qk06AAAAAAAAADYAAAAoAAAAAQAAAAEAAAABABgAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAA////AA==")


def lacking() -> str | None:
    """Why this system cannot decode in separate processes; None if it can."""
    if sys.platform != "linux":
        return f"{sys.platform} lacks anonymous files and processes that end with their parent"
    if not (hasattr(os, "memfd_create") and hasattr(os, "fork")):
        return "this build of Python lacks memfd_create"
    return None


def decoder_limits(image: ImageLimits) -> DecoderLimits:
    """The limits on a decoder, from the limits on photos."""
    return DecoderLimits(
        image, *(_allowance(pixels) for pixels in (_ORDINARY_PIXELS, max(image.max_pixels, _ORDINARY_PIXELS)))
    )


def open_decoders(
    processes: int | None, image: ImageLimits, cores: Cores, threads: int, command: Command | None = None
) -> DecoderPool | None:
    """Start the processes that decode.

    Args:
        processes: number of processes kept ready; None for `threads`, 0 for none.
        image: limits on photos.
        cores: has the lock for large photos.
        threads: requests that compute at the same time.
        command: runs the fork server; default `forkserver.command`.

    Returns:
        None if this process decodes: `processes` is 0, or the system cannot run decoders.
    """
    keep = threads if processes is None else processes
    if keep == 0 or lacking() is not None:
        return None
    # Imported here: other systems lack modules that these import.
    from facematch_server.decoding import forkserver
    from facematch_server.decoding.pool import DecoderPool

    # Requests in flight that decode: `threads` of them compute and as many stand aside, with two photos each.
    return DecoderPool(
        decoder_limits(image), keep, max(keep, 3 * threads), cores.large_photo_lock, command or forkserver.command
    )


def decode_for_jobs(decoders: DecoderPool | None, image: ImageLimits, cores: Cores) -> Callable[[bytes], Photo]:
    """A function that decodes a photo of the calling thread's job.

    It raises the errors of `facematch_local.imaging.decode.decode`, and ServiceError (503) if the deadline of the job
    passes or no decoder can be started.
    """
    if decoders is None:
        return partial(decode, limits=image, large_photo_lock=cores.large_photo_lock)
    return partial(_decode_for_job, decoders, cores)


def examine(asked: str) -> tuple[str, bool]:
    """A diagnosis of the decoders, and whether it is a fault.

    Args:
        asked: the value of `FACEMATCH_DECODE_PROCESSES`.
    """
    weaker = "photos are decoded in the service's own process, which cannot end a photo that takes too long or crashes"
    if (reason := lacking()) is not None:
        return f"{weaker}: {reason}", False
    if asked.strip() == "0":
        return f"{weaker}: FACEMATCH_DECODE_PROCESSES is 0", False
    try:
        pool = open_decoders(1, ImageLimits(), Cores(1), 1)
        assert pool is not None  # noqa: S101
        try:
            pool.wait_until_ready()
            pool.decode(_TINY, time.monotonic() + 10)
        finally:
            pool.close()
    except FacematchError as error:
        return str(error), True
    return "photos are decoded in separate processes", False


def _decode_for_job(decoders: DecoderPool, cores: Cores, data: bytes) -> Photo:
    job = current_job()
    try:
        if job is None:
            return decoders.decode(data)
        return decoders.decode(data, job.deadline, partial(_aside, job, cores))
    except (DecoderError, OutOfTimeError):
        raise ServiceError(503, BUSY, retry_after=1.0) from None


@contextmanager
def _aside(job: Job, cores: Cores) -> Iterator[None]:
    """Stand aside: a thread that waits for a decoder does not compute, so its core counts as idle."""
    cores.give_back()
    try:
        with job.aside():
            yield
    finally:
        cores.take()


def _allowance(pixels: int) -> Allowance:
    return Allowance(pixels * _BYTES_PER_PIXEL + _BYTES_BESIDE, pixels * _CPU_SECONDS_PER_PIXEL)
