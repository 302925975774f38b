"""Keeps the process's memory level.

Left to itself, glibc gives each thread an arena of its own, and after the first large photo it keeps blocks of up to
32 MiB in them instead of handing them back. With photos of all sizes on several threads the holes add up: not a
leak, but memory that creeps up by the day.
"""

from __future__ import annotations

import ctypes
import gc
from typing import Final

# Numbers of glibc's <malloc.h>.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

# Decoded photos above a megapixel come straight from the system and go straight back; smaller blocks are reused.
_LARGE_BLOCK: Final = 4 << 20
_KEPT_FREE: Final = 16 << 20
_ARENAS: Final = 2


def keep_memory_level() -> bool:
    """Set up the allocator of this process, to be called before threads start.

    Returns:
        False where the C library has no such settings (musl, macOS, Windows); then nothing was changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    settings = ((_M_ARENA_MAX, _ARENAS), (_M_MMAP_THRESHOLD, _LARGE_BLOCK), (_M_TRIM_THRESHOLD, _KEPT_FREE))
    accepted = [mallopt(parameter, value) == 1 for parameter, value in settings]
    return all(accepted)


def keep_collections_short() -> None:
    """Leave out of all later garbage collections what is there now, to be called when everything is loaded.

    A full collection looks at every object of every imported module, some 0.1 s in which no other thread runs, the
    event loop's neither; nothing of that ever becomes garbage.
    """
    gc.collect()
    gc.freeze()
