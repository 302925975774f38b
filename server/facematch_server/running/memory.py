"""Keeps the process's memory from growing.

By default, glibc gives each thread its own arena, and after the first large photo it keeps blocks of up to 32 MiB in
them instead of returning them. With photos of all sizes on several threads, fragmentation adds up: memory grows by the
day without a leak.
"""

from __future__ import annotations

import ctypes
import gc
from typing import Final

# Numbers of glibc's <malloc.h>.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

# Decoded photos above a megapixel come from the system and return to it at once; smaller blocks are reused.
_LARGE_BLOCK: Final = 4 << 20
_KEPT_FREE: Final = 16 << 20
_ARENAS: Final = 2


def keep_memory_level() -> bool:
    """Configure the allocator of this process. Call it before threads start.

    Returns:
        False without effect if the C library has no such settings (musl, macOS, Windows).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    settings = ((_M_ARENA_MAX, _ARENAS), (_M_MMAP_THRESHOLD, _LARGE_BLOCK), (_M_TRIM_THRESHOLD, _KEPT_FREE))
    accepted = [mallopt(parameter, value) == 1 for parameter, value in settings]
    return all(accepted)


def return_free_memory() -> bool:
    """Return the memory that loading took for a moment to the system. Call it when everything is loaded.

    Returns:
        False without effect if the C library has no such function (musl, macOS, Windows).
    """
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return False
    trim(0)
    return True


def keep_collections_short() -> None:
    """Exempt all present objects from garbage collection. Call it when everything is loaded.

    A full collection visits every object of every imported module. That takes some 0.1 s, in which no other thread and
    no event loop runs, and finds no garbage.
    """
    gc.collect()
    gc.freeze()
