"""The settings of the allocator, in a separate process: they cannot be undone."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

CODE = """
import sys, threading
sys.path[:0] = {path!r}
from facematch_server.running.memory import keep_memory_level
assert keep_memory_level()
import numpy as np

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

def work(size):
    # A block that stays behind the photo keeps a heap from shrinking; a mapping does not care.
    photo = np.ones(size << 20, np.uint8)
    kept.append(bytearray(1000))
    del photo

kept = []
work(1)
before = resident()
for size in (24, 8, 16, 30) * 3:
    threads = [threading.Thread(target=work, args=(size,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(resident() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_large_blocks_go_back_to_the_system() -> None:
    code = CODE.format(path=sys.path)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    assert float(done.stdout) < 10


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has this function")
def test_free_blocks_between_used_ones_go_back_to_the_system() -> None:
    code = """
import sys
sys.path[:0] = {path!r}
from facematch_server.running.memory import keep_memory_level, return_free_memory
assert keep_memory_level()

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

blocks = [bytearray(100_000) for _ in range(1000)]
kept = blocks[::10]
del blocks
before = resident()
assert return_free_memory()
assert before - resident() > 50
"""
    subprocess.run([sys.executable, "-c", code.format(path=sys.path)], timeout=60, check=True)  # noqa: S603


def test_what_is_loaded_is_left_out_of_collections() -> None:
    code = """
import sys, gc
sys.path[:0] = {path!r}
from facematch_server.running.memory import keep_collections_short
keep_collections_short()
assert gc.get_freeze_count() > 1000
assert len(gc.get_objects()) < 1000
"""
    subprocess.run([sys.executable, "-c", code.format(path=sys.path)], timeout=60, check=True)  # noqa: S603
