"""Pools of decoders, photos for them, and the processes that they leave."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import ImageLimits
from facematch_server.decoding import forkserver
from facematch_server.decoding.decoder_pool import DecoderPool
from facematch_server.decoding.limits import Allowance
from facematch_server.decoding.messages import BUFFER_BYTES
from facematch_server.decoding.opening import (
    _ORDINARY_PIXELS,
    decoder_limits,
)

MISBEHAVING = Path(__file__).with_name("misbehaving.py")

LIMITS = replace(decoder_limits(ImageLimits()), ordinary=Allowance(300 << 20, 0.5))


def misbehaving_pool(keep: int = 1, most: int = 3) -> DecoderPool:
    command = partial(forkserver.command, program=(str(MISBEHAVING),))
    pool = DecoderPool(LIMITS, keep, most, threading.Lock(), command)
    pool.wait_until_ready()
    return pool


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
