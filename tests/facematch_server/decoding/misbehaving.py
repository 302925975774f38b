"""A fork server whose decoders do what photos tell them; a program, run in place of the real one.

Photos that are none of its commands are decoded as ever.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import ImageLimits, Photo
from facematch_server.decoding import forkserver


def photo(pixels: NDArray[np.uint8]) -> Photo:
    """A photo as if it had been decoded."""
    return Photo(pixels, format="PNG")


def open_files() -> list[str]:
    """What this process has open, but for the folder that says it."""
    names = sorted(os.listdir("/proc/self/fd"), key=int)
    return [os.readlink(path) for path in map("/proc/self/fd/{}".format, names) if os.path.lexists(path)]


def obey(data: bytes, limits: ImageLimits, turn: AbstractContextManager[object]) -> Photo:
    """Do what `data` says."""
    match data[:8].rstrip(b"."):
        case b"CRASH":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"EXIT":
            os._exit(3)
        case b"HANG":
            time.sleep(1000)
        case b"BURN":
            while True:
                pass
        case b"EAT":
            return photo(np.ones((20_000, 20_000, 3), np.uint8))
        case b"RAISE":
            raise KeyError("not one of the library's errors")
        case b"SLOW":
            time.sleep(0.45)
            return photo(np.full((64, 64, 3), 127, np.uint8))
        case b"TURN":
            with turn:
                time.sleep(0.15)
            return photo(np.full((64, 64, 3), 127, np.uint8))
        case b"BIG":  # more than `limits` allow
            return photo(np.full((limits.max_side + 1, 64, 3), 127, np.uint8))
        case b"FILES":
            settings = (name for name in os.environ if name.startswith("FACEMATCH"))
            told = "\n".join([*open_files(), *settings]).encode()
            return photo(np.frombuffer(told.ljust(3 * 1000), np.uint8).reshape(1, 1000, 3))
    return decode(data, limits, turn)


if __name__ == "__main__":
    forkserver.main(obey)
