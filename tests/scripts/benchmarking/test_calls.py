"""Ways to compare by calls: their processes, on the pack that the repository has."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from scripts.benchmarking.calls import process, ways
from scripts.benchmarking.calls.process import caller, closed_loop
from scripts.benchmarking.calls.sizes import chosen_sizes
from scripts.benchmarking.calls.ways import Setting, call_of
from scripts.benchmarking.photos import Pair, standard_pair
from scripts.benchmarking.samples import AbsentError


def test_a_closed_loop_counts_each_call_of_each_thread() -> None:
    threads: set[int] = set()

    def call(card: bytes, portrait: bytes) -> float:
        assert (card, portrait) == (b"card", b"portrait")
        threads.add(threading.get_ident())
        time.sleep(0.01)
        return 1.0

    sample = closed_loop(call, b"card", b"portrait", 0.2, 3)
    assert len(threads) == 3
    assert min(sample.seconds) >= 0.01
    # Three threads at 10 ms each.
    assert 3 <= len(sample.seconds) <= 3 * 0.2 / 0.01 + 3
    assert 0.2 <= sample.wall < 10
    assert len(closed_loop(call, b"card", b"portrait", 0.0, 2).seconds) == 2


def test_a_call_that_fails_ends_the_loop_with_its_reason() -> None:
    def call(*_: bytes) -> float:
        raise KeyError("no such file\nin two lines")

    with pytest.raises(AbsentError, match=r"^KeyError: 'no such file.*in two lines'$"):
        closed_loop(call, b"", b"", 60.0, 2)


@pytest.mark.parametrize("name", [ways.DEEPFACE, ways.UNIFACE])
def test_software_that_is_not_installed_says_so(name: str) -> None:
    with pytest.raises(AbsentError, match=r"not installed|downloads"):
        call_of(name, Setting(Path()))


@pytest.mark.slow
def test_software_whose_process_cannot_start_says_so() -> None:
    begun = time.monotonic()
    with pytest.raises(AbsentError, match="absent"), caller(ways.FLOOR, Setting(Path("absent")), Pair(b"", b"")):
        pytest.fail("it started")
    assert time.monotonic() - begun < 60


@pytest.mark.slow
@pytest.mark.parametrize("name", [ways.FLOOR, ways.OWN_FLOOR, ways.LIBRARY, ways.ANALYSIS])
def test_each_way_finds_that_both_photos_show_one_person(name: str, pack_path: Path) -> None:
    pair = standard_pair()
    setting = Setting(pack_path, threads=1, sizes=chosen_sizes(pack_path, pair))
    call = call_of(name, setting)
    assert call(pair.card, pair.portrait) > (75.0 if name == ways.LIBRARY else 0.5)
    with caller(name, setting, pair) as opened:
        sample = opened.run(0.0, 2)
        assert len(sample.seconds) == 2
        assert opened.memory_mib() > 50


@pytest.mark.slow
def test_the_sizes_of_card_and_portrait_follow_the_photos(pack_path: Path) -> None:
    pair = standard_pair()
    (width, height), (narrow, tall) = chosen_sizes(pack_path, pair)
    assert width > height
    assert narrow < tall
    assert all(side % 32 == 0 for side in (width, height, narrow, tall))


def test_a_process_that_ends_is_absent() -> None:
    ours, theirs = process.multiprocessing.Pipe()
    theirs.close()
    with pytest.raises(AbsentError, match="its process ended"):
        process._answer(ours)
