"""Networks that share the memory of their runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest

from facematch_local.packs.arena import share_arena


def test_the_arena_of_the_process_grows_by_what_a_run_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[object] = []
    monkeypatch.setattr(onnxruntime, "OrtMemoryInfo", lambda *place: place)
    monkeypatch.setattr(onnxruntime, "OrtArenaCfg", lambda settings: settings)
    monkeypatch.setattr(onnxruntime, "create_and_register_allocator", lambda *given: registered.append(given))
    share_arena.__wrapped__()
    place = ("Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT)
    assert registered == [(place, {"arena_extend_strategy": 1})]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads the memory of a process from /proc")
def test_networks_that_share_their_memory_take_less(pack_path: Path) -> None:
    code = """
import sys
sys.path[:0] = {path!r}
from facematch_local.packs.arena import share_arena
if {share}:
    share_arena()
    share_arena()
import numpy as np
from pathlib import Path
from facematch_local.packs import read_pack
from facematch_local.packs.sessions import SessionSettings, open_session
path = read_pack(Path({pack!r})).files["detection"].path
sessions = [open_session(path, SessionSettings()) for _ in range(4)]
for session in sessions:
    session.run(None, {{session.get_inputs()[0].name: np.zeros((1, 3, 640, 640), np.float32)}})
lines = open("/proc/self/smaps_rollup").read().splitlines()
print(next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) / 1024)
"""
    taken = []
    for share in (False, True):
        command = [sys.executable, "-c", code.format(path=sys.path, share=share, pack=str(pack_path))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
        taken.append(float(done.stdout))
    # Three of the four detectors need no memory of their own; each takes more than 10 MiB.
    assert taken[0] - taken[1] > 15
